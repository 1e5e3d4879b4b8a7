import { expect, it } from 'vitest';
import { History } from '../../../src/watch/history.js';
import { readingOf } from '../../../src/watch/reading.js';

const SECOND = 1_000;
const HOUR = 3_600_000;

function historyOf(readings: readonly (readonly [at: number, opened: number])[]): History {
  const history = new History('host/metrics', { live: true, text: 'Live' }, SECOND);
  const pool = 'db_client_connection_pool_name="orders"';
  for (const [at, opened] of readings) {
    const text = `pgauge_pool_info{${pool}} 1\npgauge_connection_opened_total{${pool}} ${opened}\n`;
    history.add(readingOf(text, at));
  }
  return history;
}

it('the history has rates over the last five seconds', () => {
  const history = historyOf(Array.from({ length: 8 }, (_, i) => [i * SECOND, i * 3]));
  expect(history.figures()?.openedPerS).toBe(3);
});

it('the history has no rate across a gap, and after it the rate since the gap', () => {
  const before: [number, number][] = [
    [0, 0],
    [SECOND, 3],
  ];
  const history = historyOf([...before, [HOUR, 1_000]]);
  expect(history.figures()?.openedPerS).toBeNull();
  expect(historyOf([...before, [HOUR, 1_000], [HOUR + SECOND, 1_002]]).figures()?.openedPerS).toBe(2);
});

it('the history has no gap with an endpoint that takes ten seconds to answer', () => {
  const history = historyOf([
    [0, 0],
    [10 * SECOND, 20],
  ]);
  expect(history.figures()?.openedPerS).toBe(2);
});
