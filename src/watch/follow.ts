import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from './history.js';
import { openPools, readingOf, MOST_POOLS, type Selection } from './reading.js';
import { scrape } from './scrape.js';
import { WatchError } from './watch-error.js';

/** How to follow an endpoint. */
export interface Following {
  readonly intervalMs: number;
  readonly selection?: Selection;
  /** How long it may fail to answer; default forever. */
  readonly giveUpMs?: number;
}

/**
 * Reads the endpoint into the history, again and again until the signal is aborted. Keeps trying if the endpoint does
 * not answer; throws `WatchError` when it has not answered for too long.
 */
export async function follow(
  url: URL,
  history: History,
  { intervalMs, selection = {}, giveUpMs = Infinity }: Following,
  signal: AbortSignal,
): Promise<void> {
  const over = (): boolean => signal.aborted;
  let answeredAt = Date.now();
  while (!over()) {
    const started = Date.now();
    try {
      // A pool may open later, and the last one may end.
      const reading = readingOf(await scrape(url), Date.now(), { mayBeEmpty: true, selection });
      if (over()) return;
      answeredAt = reading.at;
      history.add(reading);
      const more = reading.leftOut > 0 ? `; ${reading.leftOut} more than the ${MOST_POOLS} shown` : '';
      say(history, true, openPools(reading).length === 0 ? 'Live: no pool is open' : `Live${more}`);
    } catch (error) {
      if (!(error instanceof WatchError)) throw error;
      if (over()) return;
      say(history, false, `The process does not answer: ${error.message}. The last values are shown.`);
      const silentMs = Date.now() - answeredAt;
      if (silentMs >= giveUpMs)
        throw new WatchError(`it has not answered for ${Math.round(silentMs / 1_000)} s: ${error.message}`);
    }
    const left = Math.max(0, intervalMs - (Date.now() - started));
    await sleep(left, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** An unchanged state is not set again, because screen readers would read it out. */
function say(history: History, live: boolean, text: string): void {
  if (history.stateNow.text !== text) history.state({ live, text });
}
