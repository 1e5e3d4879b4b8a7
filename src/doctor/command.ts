import { VERSION } from '../process-state.js';
import { readArguments, USAGE, type Arguments } from './arguments.js';
import { exampleCode } from './example-code.js';
import { exitCode } from './report.js';
import { hostRequests, type HostRequests } from './hosts.js';
import { choiceLines, hostLine, stepLines, styleOf, summaryLines, waitingText } from './table.js';

const { stdout, stderr, env } = process;

/** `pgauge doctor`: returns the exit code; throws UsageError. */
export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args);
  if (typeof given === 'object') return await doctor(given, hostRequests(given, env));
  stdout.write(given === 'help' ? USAGE : `${VERSION}\n`);
  return 0;
}

async function doctor({ json, timeoutMs }: Arguments, requests: HostRequests): Promise<number> {
  // SDKs print warnings about slow services into the middle of the table; the report shows the outcome anyway.
  console.warn = () => undefined;
  // Loaded at this point, so that --help works without the driver.
  const loaded = await load();
  if (loaded === undefined) return 1;
  const { examineEach, outcomesOf, failingHosts } = loaded;
  if (json) {
    const { jsonReport } = await import('./json.js');
    const findings = await examineEach(requests, timeoutMs);
    const result = exitCode(outcomesOf(findings));
    const code = result === 0 ? exampleCode(requests) : undefined;
    stdout.write(`${JSON.stringify(jsonReport(findings, VERSION, code), null, 2)}\n`);
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
    // The codes of `require` and of `import`.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(code)) throw error;
    stderr.write('pgauge: packages that it needs are not installed: npm install pg @opentelemetry/api\n');
    return undefined;
  }
}
