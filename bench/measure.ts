import { ContenderProcess } from './contender-process.js';
import { contenderOf } from './comparison.js';
import type { Variant } from './programs/program.js';
import type { Amount, Scenario, Series, Servers } from './scenario.js';

/** Folders with the programs and the package: of the working tree, and of the commit it is compared with. */
export interface Workspaces {
  readonly here: string;
  readonly there?: string;
}

/** Measures all variants of a scenario: in each round the contenders of a group take turns, each in its own process. */
export async function measure(
  scenario: Scenario,
  { generations, rounds, size, variants = scenario.variants }: Amount,
  servers: Servers,
  workspaces: Workspaces,
): Promise<Series[]> {
  const series: Series[] = [];
  for (const variant of variants) {
    const samples = scenario.contenders.map((): Record<string, number>[] => []);
    const count = typeof rounds === 'number' ? rounds : rounds(variant);
    const begin = (index: number): Promise<ContenderProcess> =>
      start(scenario, scenario.contenders[index] ?? '', variant, size, servers, workspaces);
    const take = async (index: number, started: ContenderProcess): Promise<void> => {
      scenario.outside?.(servers);
      const sample = await started.run();
      samples[index]?.push({ ...sample, ...scenario.outside?.(servers) });
    };
    for (let generation = 0; generation < generations; generation++)
      for (const group of groupsOf(scenario)) await takeTurns(group, count, generation, begin, take);
    scenario.contenders.forEach((contender, index) =>
      series.push({ contender, variant, samples: samples[index] ?? [] }),
    );
  }
  return series;
}

/** Starts a process for each contender of a group, and lets them take turns. */
async function takeTurns(
  group: readonly number[],
  rounds: number,
  generation: number,
  begin: (index: number) => Promise<ContenderProcess>,
  take: (index: number, started: ContenderProcess) => Promise<void>,
): Promise<void> {
  const processes: { readonly index: number; readonly started: ContenderProcess }[] = [];
  try {
    for (const index of group) processes.push({ index, started: await begin(index) });
    for (let round = 0; round < rounds; round++) {
      for (const { index, started } of inTurn(processes, generation + round)) await take(index, started);
    }
  } finally {
    await Promise.all(processes.map(({ started }) => started.end()));
  }
}

function start(
  { program, environment, flags }: Scenario,
  title: string,
  variant: Variant,
  size: Amount['size'],
  servers: Servers,
  { here, there }: Workspaces,
): Promise<ContenderProcess> {
  const { contender, commit } = contenderOf(title);
  const workspace = commit === undefined ? here : there;
  if (workspace === undefined) throw new Error(`${title}: its commit is not built`);
  const settings = { ...servers.settings, size };
  const what = { program, contender, variant, settings };
  return ContenderProcess.start(workspace, what, environment?.(servers), flags);
}

/** The indices of the contenders that take turns with each other. */
function groupsOf({ contenders, apart = [] }: Scenario): number[][] {
  const groupOf = (contender: string): number => apart.findIndex((group) => group.includes(contender));
  return [-1, ...apart.keys()].map((group) =>
    [...contenders.keys()].filter((index) => groupOf(contenders[index] ?? '') === group),
  );
}

/** All members, with a varying start and direction, so that no contender always follows the same one. */
function inTurn<T>(all: readonly T[], first: number): T[] {
  const start = first % all.length;
  const order = [...all.slice(start), ...all.slice(0, start)];
  return first % 2 === 0 ? order : order.reverse();
}
