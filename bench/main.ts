// Compares pgauge with raw pg and with pg + instrumentation-pg; writes results.md and the README's table.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { format, resolveConfig } from 'prettier';
import { Commit } from './commit.js';
import { comparison } from './comparison.js';
import { outcomes } from './goals.js';
import { circumstances, loadNote } from './machine.js';
import { measure } from './measure.js';
import { withTable } from './readme.js';
import { resultsPage, scenarioTable } from './report.js';
import type { Results } from './results.js';
import { SCENARIOS } from './scenarios/index.js';
import { startServers } from './servers.js';
import type { Servers } from './scenario.js';
import { Workspace } from './workspace.js';

const USAGE = `usage: npm run bench -- [options]
  --quick         one short round of everything: whether it runs, not what it costs
  --only <names>  only these scenarios, separated by commas: ${SCENARIOS.map(({ name }) => name).join(', ')}
  --compare <ref> the working tree and a commit in turns, in place of raw pg: whatever git takes for a commit
  --help
A full run takes about an hour and writes bench/results.md and the table of the README; the others only print.
`;
const RESULTS = join(import.meta.dirname, 'results.md');
const README = join(import.meta.dirname, '../README.md');

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    only: { type: 'string' },
    compare: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (values.help === true) process.stdout.write(USAGE);
else await bench(values.quick === true, values.only?.split(','), values.compare);

async function bench(
  quick: boolean,
  only: readonly string[] | undefined,
  ref: string | undefined,
): Promise<void> {
  const named = SCENARIOS.filter(({ name }) => only === undefined || only.includes(name));
  if (named.length === 0) throw new Error(`no such scenario\n${USAGE}`);
  await using commit = ref === undefined ? undefined : await Commit.checkOut(ref);
  await using there = commit && (await Workspace.make(commit.path));
  await using here = await Workspace.make();
  const workspaces = { here: here.path, ...(there && { there: there.path }) };
  const chosen = commit === undefined ? named : comparison(named, commit.hash);
  if (chosen.length === 0) throw new Error('none of these scenarios runs pgauge');
  await using servers = await startServers();
  const found = [...circumstances(await serverVersion(servers)), loadNote('before')];
  console.log(found.join('\n'));
  const results: Results[number][] = [];
  for (const scenario of chosen) {
    const series = await measure(scenario, quick ? scenario.quick : scenario.full, servers, workspaces);
    const measured = { scenario, series };
    results.push(measured);
    console.log([`\n${scenario.title}`, ...scenarioTable(measured)].join('\n'));
  }
  found.push(loadNote('after'));
  console.log(`\n${found.at(-1)}`);
  if (quick) {
    console.log(`\n${chosen.length} scenarios ran; one short round says nothing about cost.`);
    return;
  }
  if (commit !== undefined) return;
  for (const { goal, measured, reached } of outcomes(results))
    console.log(
      `${reached ? 'reached    ' : 'NOT REACHED'} ${goal.what}: ${measured} (${goal.atMost} ${goal.unit})`,
    );
  if (only !== undefined) return;
  await write(RESULTS, resultsPage(results, found));
  await write(README, withTable(await readFile(README, 'utf8'), results, found));
}

async function serverVersion({ settings }: Servers): Promise<string> {
  const client = new pg.Client(settings.plain);
  await client.connect();
  const { rows } = await client.query<{ server_version: string }>('show server_version');
  await client.end();
  return rows[0]?.server_version ?? 'unknown';
}

/** Writes a file, formatted as the format check requires. */
async function write(path: string, text: string): Promise<void> {
  await writeFile(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
}
