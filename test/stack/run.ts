// Runs the real collector, a real Prometheus and the application under load, and checks what they show.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { composeUp } from './compose/compose.js';
import type { Phase } from './phase.js';
import { configuration } from './phases/configuration.js';
import { alerts } from './phases/alerts.js';
import { dashboards } from './phases/dashboards.js';
import { directScrape } from './phases/direct-scrape.js';
import { pipeline } from './phases/pipeline.js';
import { registry } from './phases/registry.js';
import { traces } from './phases/traces.js';
import { truth } from './phases/truth.js';
import { startStack, type StackOptions } from './stack.js';
import { Table } from './table.js';

/** Run in this order on one stack: alerts before anything has happened, dashboards once much has. */
const PHASES: readonly Phase[] = [pipeline, alerts, traces, truth, dashboards, directScrape, registry];
/**
 * The phases to repeat with the other version of Prometheus: those that depend on how it scrapes, stores and answers.
 */
const AGAIN: readonly Phase[] = [pipeline, traces, truth, directScrape];

const RUNS = [
  { choice: 'built', phases: PHASES },
  { choice: 'installed', phases: AGAIN },
] as const;

const ACCEPTED = 'the tools that read the files accept them';
const RESULTS = join(import.meta.dirname, '../../docs/stack-results.md');
const USAGE = `usage: npm run test:stack -- [options]
  --only <phase>   one phase, repeatable: configuration, ${PHASES.map(({ name }) => name).join(', ')}
  --prometheus <w> built, the one of docker-compose.yml, or installed, the one on PATH; default: first all phases with the
                   one, then some again with the other
  --compose        docker compose up under Debian's Docker Engine, and nothing else; needs root
  --factor <n>     how many times faster than outside time goes; default 30
  --write          write docs/stack-results.md; of a whole run only
The registry is checked if weaver is on PATH; SEMCONV_MODEL is a folder with the model of the semantic conventions, for a
machine on which weaver cannot download it.
`;

for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(name, () => process.exit(code));
process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      factor: { type: 'string' },
      compose: { type: 'boolean', default: false },
      prometheus: { type: 'string', default: 'both' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const names = ['configuration', ...PHASES.map(({ name }) => name)];
  const only = values.only ?? names;
  const factor = Number(values.factor ?? 30);
  const runs = RUNS.filter(({ choice }) => ['both', choice].includes(values.prometheus));
  // Refuse to write partial results: the page would present them as complete.
  const partly = values.write && (values.only !== undefined || values.compose || runs.length < RUNS.length);
  if (
    values.help ||
    partly ||
    runs.length === 0 ||
    !(factor >= 1) ||
    only.some((name) => !names.includes(name))
  ) {
    process.stdout.write(USAGE);
    return values.help ? 0 : 2;
  }

  const table = new Table((line) => console.log(line));
  if (values.compose)
    await guarded(table, 'compose', 'it starts, and its parts work', () => composeUp(table));
  else await runAll(table, factor, only, runs);

  const failed = table.rows.filter(({ ok }) => !ok).length;
  console.log(
    `\n${table.rows.length - failed} ok, ${failed} failed, ${Math.round(performance.now() / 1_000)} s`,
  );
  if (values.write) await writeResults(table);
  return table.ok ? 0 : 1;
}

async function runAll(
  table: Table,
  factor: number,
  only: readonly string[],
  runs: readonly (typeof RUNS)[number][],
): Promise<void> {
  if (only.includes('configuration'))
    await guarded(table, 'configuration', ACCEPTED, () => configuration(table));
  for (const { choice, phases } of runs) {
    const wanted = (runs.length > 1 ? phases : PHASES).filter(({ name }) => only.includes(name));
    if (wanted.length > 0) await runStack({ factor, prometheus: choice }, wanted, table);
  }
  table.group('not run');
  table.cannotRun('Grafana', 'its image cannot be had here; queries run without it');
  table.cannotRun(
    'docker compose up',
    'npm run test:stack -- --compose runs it; it needs a container engine',
  );
}

async function runStack(options: StackOptions, phases: readonly Phase[], table: Table): Promise<void> {
  await guarded(table, `stack, Prometheus ${options.prometheus}`, 'it starts', async () => {
    await using stack = await startStack(options);
    const { version } = stack.prometheus;
    table.row('the stack', 'runs', `runs, with Prometheus ${version}`, true);
    for (const phase of phases) {
      const startedAt = performance.now();
      await guarded(table, `${phase.name}, Prometheus ${version}`, phase.shows, () =>
        phase.run(stack, table),
      );
      console.log(`  (${Math.round((performance.now() - startedAt) / 1_000)} s)`);
    }
  });
}

async function guarded(table: Table, name: string, shows: string, work: () => Promise<void>): Promise<void> {
  table.group(name, shows);
  try {
    await work();
  } catch (error) {
    table.row(name, 'no error', (error as Error).stack ?? String(error), false);
  }
}

async function writeResults(table: Table): Promise<void> {
  const text = `<!-- Written by \`npm run test:stack -- --write\`: do not edit. -->

# Results of the stack test

The last whole run of \`npm run test:stack\`, on ${new Date().toISOString().slice(0, 10)}; the run prints each check.

${table.summary()}`;
  await writeFile(RESULTS, await format(text, { ...(await resolveConfig(RESULTS)), filepath: RESULTS }));
}
