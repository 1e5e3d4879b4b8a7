#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { readArguments, USAGE, UsageError, type Arguments } from './arguments.js';
import { jsonReport } from './json.js';
import { exitCode } from './report.js';
import { settingsOf } from './settings.js';
import { stepLines, styleOf, summaryLines, waitingText } from './table.js';

const WRONG_USAGE = 2;
/** Work that a check gave up waiting for may keep the process alive; end it after this time. */
const LINGER_MS = 200;

const { stdout, stderr, env } = process;
stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that closes the pipe early is no failure; a full disk is.
  if (error.code === 'EPIPE') return;
  stderr.write(`pgauge: the report could not be written: ${error.message}\n`);
  process.exit(1);
});
stderr.on('error', () => undefined);
// SDKs warn there of slow services, in the middle of the table; the report covers what came of it.
console.warn = () => undefined;

process.exitCode = await main();
setTimeout(() => process.exit(), LINGER_MS).unref();

async function main(): Promise<number> {
  let given: ReturnType<typeof readArguments>;
  try {
    given = readArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(
      `pgauge: ${error.message}\nusage: pgauge doctor [options]; pgauge doctor --help lists them\n`,
    );
    return WRONG_USAGE;
  }
  if (given === 'help') stdout.write(USAGE);
  else if (given === 'version') stdout.write(`${version()}\n`);
  else return await doctor(given);
  return 0;
}

async function doctor(given: Arguments): Promise<number> {
  // Loaded only now, so that --help works without the driver.
  const loaded = await load();
  if (loaded === undefined) return 1;
  const { examine } = loaded;
  const settings = settingsOf(given, env);
  if (given.json) {
    const report = await examine(settings, env);
    stdout.write(`${JSON.stringify(jsonReport(report, version()), null, 2)}\n`);
    return exitCode(report.steps);
  }
  const style = styleOf(stdout, env);
  const { steps, durationMs } = await examine(settings, env, {
    started: (id) => stdout.write(waitingText(id, style)),
    ended: (step) => stdout.write(`${stepLines(step, style).join('\n')}\n`),
  });
  stdout.write(`\n${summaryLines(steps, durationMs, style).join('\n')}\n`);
  return exitCode(steps);
}

async function load(): Promise<typeof import('./examination.js') | undefined> {
  try {
    return await import('./examination.js');
  } catch (error) {
    // From `require` and from `import`.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(code)) throw error;
    stderr.write('pgauge: packages that it needs are not installed: npm install pg @opentelemetry/api\n');
    return undefined;
  }
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
