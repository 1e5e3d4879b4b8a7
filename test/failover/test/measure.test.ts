import { describe, expect, test } from 'vitest';
import { parseEvent, type LoadEvent } from '../contenders/events.js';
import { compareWrites, measure } from '../measure.js';

const events = (...lines: string[]): LoadEvent[] => lines.map(parseEvent);
const TIMES = { beganAt: 1_000, ledAt: 5_000, overAt: 9_000 };

describe('measure', () => {
  test('the first write is the first one acknowledged after a node became the leader', () => {
    const told = events('1500 acked 1', '5000 read', '5250 acked 2', '6000 acked 3');
    expect(measure(told, TIMES).firstWriteMs).toBe(250);
    expect(measure(events('4999 acked 1', '9000 acked 2'), TIMES).firstWriteMs).toBe(Infinity);
  });

  test('failures are counted by code, and only during the fault', () => {
    const cost = measure(
      events(
        '999 failed 57P01 1',
        '1000 failed 57P01 2',
        '1100 no-connection ECONNREFUSED',
        '2000 failed 57P01 -',
        '9000 failed 57P01 9',
      ),
      TIMES,
    );
    expect([...cost.failed]).toEqual([['57P01', 2]]);
    expect([...cost.noConnection]).toEqual([['ECONNREFUSED', 1]]);
  });

  test('the most dials are counted over any second', () => {
    const dials = ['1000 dial', '1900 dial', '2000 dial', '2800 dial', '2899 dial', '7000 dial'];
    expect(measure(events(...dials), TIMES).mostDials).toBe(4);
    expect(measure([], TIMES).mostDials).toBe(0);
  });
});

test('an acknowledged write must exist, and no write may exist twice, acknowledged or not', () => {
  const told = events('1 acked 1', '2 acked 2', '3 failed 57P01 3', '4 acked 4');
  const rows = new Map([1, 2, 3].map((id) => [id, id === 1 ? 1 : 2]));
  expect(compareWrites(told, rows)).toEqual({ acked: 3, lost: [4], twice: [2, 3] });
});
