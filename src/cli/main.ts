#!/usr/bin/env node
import { VERSION } from '../process-state.js';
import { UsageError } from './options.js';

/** A command's module; `run` resolves with the exit code, and throws UsageError. */
interface Command {
  readonly run: (args: readonly string[]) => Promise<number>;
}

// Each is loaded on demand, because only the doctor needs the driver.
const COMMANDS: Readonly<Record<string, { usage: string; load(): Promise<Command> }>> = {
  doctor: { usage: 'pgauge doctor [options]', load: () => import('../doctor/command.js') },
  watch: { usage: 'pgauge watch <url> [options]', load: () => import('../watch/command.js') },
};
const USAGE = `usage: pgauge <command> [options]

  pgauge doctor       checks step by step whether a pool could work, and says
                      what is wrong and what to do about it
  pgauge watch <url>  shows the pools of a running process, live: in the
                      terminal and as charts in a browser

pgauge <command> --help lists the options of a command.

Exit code: 0 it works, or was shown; 1 it does not; 2 wrong usage.
`;
const WRONG_USAGE = 2;
/** Work that a command gave up waiting for may keep the process alive; end it after this time. */
const LINGER_MS = 200;

const { stdout, stderr } = process;
stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that closes the pipe early is no failure; a full disk is.
  if (error.code === 'EPIPE') return;
  stderr.write(`pgauge: the report could not be written: ${error.message}\n`);
  process.exit(1);
});
stderr.on('error', () => undefined);

process.exitCode = await main(process.argv.slice(2));
setTimeout(() => process.exit(), LINGER_MS).unref();

async function main(given: readonly string[]): Promise<number> {
  const at = given[0] === 'help' ? -1 : given.findIndex((each) => Object.hasOwn(COMMANDS, each));
  const name = given[at];
  const command = name === undefined ? undefined : COMMANDS[name];
  try {
    if (command === undefined) return overview(given);
    const { run } = await command.load();
    return await run(given.toSpliced(at, 1));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const usages = command ? [command.usage] : Object.values(COMMANDS).map(({ usage }) => usage);
    const help = name === undefined ? 'pgauge --help says what they do' : `pgauge ${name} --help lists them`;
    stderr.write(`pgauge: ${error.message}\nusage: ${usages.join(' or ')}; ${help}\n`);
    return WRONG_USAGE;
  }
}

function overview(given: readonly string[]): number {
  const [first] = given;
  if (first === 'help' || given.includes('--help') || given.includes('-h')) stdout.write(USAGE);
  else if (first === '--version') stdout.write(`${VERSION}\n`);
  else throw new UsageError(problem(first));
  return 0;
}

function problem(command: string | undefined): string {
  if (command === undefined || command.startsWith('-')) return 'a command is missing';
  // Other text is not quoted, because it may be a connection string with its password.
  const named = /^[\w-]{1,20}$/.test(command) ? ` ${JSON.stringify(command)}` : ' of that name';
  return `there is no command${named}`;
}
