#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { readArguments, USAGE, UsageError, type Arguments } from './arguments.js';
import { exampleCode } from './example-code.js';
import { exitCode } from './report.js';
import { hostRequests, type HostRequests } from './hosts.js';
import { choiceLines, hostLine, stepLines, styleOf, summaryLines, waitingText } from './table.js';

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
  let requests: HostRequests | undefined;
  try {
    given = readArguments(process.argv.slice(2));
    if (typeof given === 'object') requests = hostRequests(given, env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(
      `pgauge: ${error.message}\nusage: pgauge doctor [options]; pgauge doctor --help lists them\n`,
    );
    return WRONG_USAGE;
  }
  if (typeof given === 'object' && requests !== undefined) return await doctor(given, requests);
  stdout.write(given === 'help' ? USAGE : `${version()}\n`);
  return 0;
}

async function doctor({ json, timeoutMs }: Arguments, requests: HostRequests): Promise<number> {
  // Loaded only now, so that --help works without the driver.
  const loaded = await load();
  if (loaded === undefined) return 1;
  const { examineEach, outcomesOf, failingHosts } = loaded;
  if (json) {
    const { jsonReport } = await import('./json.js');
    const findings = await examineEach(requests, timeoutMs);
    const result = exitCode(outcomesOf(findings));
    const code = result === 0 ? exampleCode(requests) : undefined;
    stdout.write(`${JSON.stringify(jsonReport(findings, version(), code), null, 2)}\n`);
    return result;
  }
  const style = styleOf(stdout, env);
  const print = (lines: readonly string[]): boolean => stdout.write(`${lines.join('\n')}\n`);
  let hosts = 0;
  const findings = await examineEach(requests, timeoutMs, {
    host: (place) => print([hostLine(place, (hosts += 1) === 1)]),
    started: (id) => stdout.write(waitingText(id, style)),
    ended: (step) => print(stepLines(step, style)),
  });
  const { choice, durationMs } = findings;
  if (choice !== undefined) print(choiceLines(choice.outcome, style));
  const outcomes = outcomesOf(findings);
  // A pool works as long as one host does.
  const failing =
    choice?.at === undefined ? undefined : `${failingHosts(findings)} of ${requests.each.length} hosts fail`;
  print(['', ...summaryLines(outcomes, durationMs, style, failing)]);
  const result = exitCode(outcomes);
  const code = result === 0 ? exampleCode(requests) : undefined;
  if (code !== undefined) print(['', 'The same settings in code:', '', code]);
  return result;
}

async function load(): Promise<typeof import('./each-host.js') | undefined> {
  try {
    return await import('./each-host.js');
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
