import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { GIVE_UP_MS, LIMITS, sizeFor, type FleetCost } from './fleet.js';

const PAGE = fileURLToPath(new URL('../../docs/guides/sizing.md', import.meta.url));
const BEGIN = '<!-- fleet: begin -->';
const END = '<!-- fleet: end -->';

/** The cost of one strategy for a fleet of one size. */
export interface Row {
  readonly instances: number;
  readonly strategy: string;
  readonly cost: FleetCost;
}

/** The table for readers. */
export function markdown(rows: readonly Row[], seed: number): string {
  const sizes = [...new Set(rows.map(({ instances }) => instances))];
  return [
    `The server takes ${LIMITS.loginsPerSecond} logins a second and ${grouped(LIMITS.maxConnections)} connections, and is away for 30 s. Each instance has five callers. Seed ${seed}.`,
    ...sizes.flatMap((instances) => [
      '',
      `${grouped(instances)} instance${instances === 1 ? '' : 's'} of ${sizeFor(instances)} connections:`,
      '',
      '| | failed acquires of each caller | dials a second in the outage | most dials in a second after it | 99 % served after |',
      '| --- | --- | --- | --- | --- |',
      ...rows
        .filter((row) => row.instances === instances)
        .map(({ strategy, cost }) => `| ${[strategy, ...cells(cost)].join(' | ')} |`),
    ]),
  ].join('\n');
}

/** Writes the table into its place in the guide. */
export async function writeReport(table: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`there is no place for the table in ${PAGE}`);
  const filled = `${page.slice(0, from)}${BEGIN}\n\n${table}\n\n${page.slice(to)}`;
  const options = await prettier.resolveConfig(PAGE);
  await writeFile(PAGE, await prettier.format(filled, { ...options, parser: 'markdown' }));
}

function cells({ failedPerCaller, dialsInOutage, mostDials, servedAfterMs }: FleetCost): string[] {
  const seconds = (servedAfterMs / 1_000).toFixed(1);
  return [
    grouped(Math.round(failedPerCaller)),
    grouped(dialsInOutage < 10 ? Number(dialsInOutage.toFixed(1)) : Math.round(dialsInOutage)),
    grouped(mostDials),
    Number.isFinite(servedAfterMs) ? `${seconds} s` : `not in ${GIVE_UP_MS / 1_000} s`,
  ];
}

function grouped(count: number): string {
  return count.toLocaleString('en-GB').replaceAll(',', ' ');
}
