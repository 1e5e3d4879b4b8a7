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
    for (let generation = 0; generation < generations; generation++) {
      for (const group of groupsOf(scenario)) {
        const processes = new Map<number, ContenderProcess>();
        try {
          for (const index of group) {
            const title = scenario.contenders[index] ?? '';
            processes.set(index, await start(scenario, title, variant, size, servers, workspaces));
          }
          for (let round = 0; round < count; round++) {
            for (const turn of inTurn(group.length, generation + round)) {
              const index = group[turn] ?? 0;
              scenario.outside?.(servers);
              const sample = await processes.get(index)?.run();
              samples[index]?.push({ ...sample, ...scenario.outside?.(servers) });
            }
          }
        } finally {
          await Promise.all([...processes.values()].map((started) => started.end()));
        }
      }
    }
    scenario.contenders.forEach((contender, index) =>
      series.push({ contender, variant, samples: samples[index] ?? [] }),
    );
  }
  return series;
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
  const all = contenders.map((contender, index) => ({ index, isApart: apart.includes(contender) }));
  const groups = [false, true].map((isApart) => all.filter((one) => one.isApart === isApart));
  return groups.map((group) => group.map(({ index }) => index)).filter((group) => group.length > 0);
}

/** All indices, with a varying start and direction, so that no contender always follows the same one. */
function inTurn(count: number, first: number): number[] {
  const order = Array.from({ length: count }, (_, i) => (first + i) % count);
  return first % 2 === 0 ? order : order.reverse();
}
