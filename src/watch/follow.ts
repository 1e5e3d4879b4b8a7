import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from './history.js';
import { readingOf, MOST_POOLS } from './reading.js';
import { scrape } from './scrape.js';
import { WatchError } from './watch-error.js';

/** Reads the endpoint again and again into the history, until the signal; one that does not answer is asked on. */
export async function follow(
  url: URL,
  history: History,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  const over = (): boolean => signal.aborted;
  while (!over()) {
    const started = Date.now();
    try {
      // A pool may open later, and the last one may end.
      const reading = readingOf(await scrape(url), Date.now(), { mayBeEmpty: true });
      if (over()) return;
      const pools = reading.pools.filter(({ pool }) => pool !== '').length;
      history.add(reading);
      const more = reading.leftOut > 0 ? `; ${reading.leftOut} more than the ${MOST_POOLS} shown` : '';
      say(history, true, pools === 0 ? 'Live: no pool is open' : `Live${more}`);
    } catch (error) {
      if (!(error instanceof WatchError)) throw error;
      if (!over())
        say(history, false, `The process does not answer: ${error.message}. The last values are shown.`);
    }
    const left = Math.max(0, intervalMs - (Date.now() - started));
    await sleep(left, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** A state that was said already is not said again: screen readers would read it out. */
function say(history: History, live: boolean, text: string): void {
  if (history.stateNow.text !== text) history.state({ live, text });
}
