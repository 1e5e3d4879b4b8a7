import { once } from 'node:events';
import { createServer } from 'node:http';
import { Interruption } from '../cli/interruption.js';
import { VERSION } from '../process-state.js';
import { DEFAULT_PORT, readArguments, USAGE, type Arguments } from './arguments.js';
import { follow } from './follow.js';
import { History } from './history.js';
import { jsonReading } from './json.js';
import { ListenError, listenOnLoopback } from './listen.js';
import { LivePage } from './live-page.js';
import { openPools, readingOf, type Reading } from './reading.js';
import { scrape } from './scrape.js';
import { showHistory } from './terminal/screen.js';
import { readingTable } from './terminal/table.js';
import { WatchError } from './watch-error.js';

/** An endpoint that does not answer for this long is given up. */
const GIVE_UP_MS = 30_000;

const { stdout, stderr } = process;

/** `pgauge watch`: returns the exit code; throws UsageError. */
export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args);
  if (given === 'help') stdout.write(USAGE);
  else if (given === 'version') stdout.write(`${VERSION}\n`);
  else return await watch(given);
  return 0;
}

async function watch(given: Arguments): Promise<number> {
  // A token may be in the query.
  const shown = given.url.origin + given.url.pathname;
  try {
    const first = readingOf(await scrape(given.url), Date.now(), { selection: given.selection });
    if (given.print === undefined) return await live(given, first);
    if (given.print === 'json')
      stdout.write(`${JSON.stringify(jsonReading(first, shown, VERSION), null, 2)}\n`);
    else stdout.write(`${printed(first, shown).join('\n')}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof WatchError || error instanceof ListenError)) throw error;
    stderr.write(`pgauge: ${error instanceof WatchError ? `${shown}: ` : ''}${error.message}\n`);
    return 1;
  }
}

function printed(reading: Reading, url: string): string[] {
  const { length } = openPools(reading);
  const head = `${url} at ${new Date(reading.at).toISOString()}`;
  if (length === 0) return [`${head}: no pool is open`];
  const more = reading.leftOut > 0 ? `; ${reading.leftOut} more are left out` : '';
  const foot = 'Times, opened, queries and errors are those since the process began.';
  return [`${head}${more}`, '', ...readingTable(reading), '', foot];
}

/** Shows the endpoint until a signal arrives, or until it has not answered for too long. */
async function live({ url, selection, port, intervalMs }: Arguments, first: Reading): Promise<number> {
  using interruption = new Interruption();
  const { signal } = interruption;
  const history = new History(url.host + url.pathname, { live: true, text: 'Live' }, intervalMs);
  history.add(first);
  const page = new LivePage(history);
  const server = createServer((request, response) => page.handle(request, response));
  const place = { port, from: DEFAULT_PORT, serves: 'the page', option: '--port' };
  const pageUrl = `${await listenOnLoopback(server, place)}/`;
  stdout.write(`Watch it live  ${pageUrl}\n`);
  const screen = showHistory(history, pageUrl, stdout, stderr);
  try {
    const following = follow(url, history, { intervalMs, selection, giveUpMs: GIVE_UP_MS }, signal);
    // The signal ends the wait at once; a request in progress may delay `following`.
    await Promise.race([following, signal.aborted ? undefined : once(signal, 'abort')]);
    return interruption.exitCode ?? 0;
  } finally {
    screen.close();
    server.close();
    server.closeAllConnections();
  }
}
