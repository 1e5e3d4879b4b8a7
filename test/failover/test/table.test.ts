import { describe, expect, test } from 'vitest';
import type { Cost } from '../measure.js';
import type { Outcome } from '../run.js';
import { broken, markdown } from '../table.js';

const GOOD: Cost = {
  noConnection: new Map(),
  failed: new Map([['57P01', 2]]),
  firstWriteMs: 300,
  mostDials: 5,
};
const outcome = (cost: Partial<Cost> = {}, rest: Partial<Outcome> = {}): Outcome => ({
  id: 'pgauge/hosts',
  costs: [{ fault: 'freeze', cost: { ...GOOD, ...cost } }],
  writes: { acked: 10, lost: [], twice: [] },
  totals: { left: 0, most: 6 },
  ...rest,
});
const writes = (change: Partial<Outcome['writes']>): Outcome =>
  outcome({}, { writes: { acked: 10, lost: [], twice: [], ...change } });
const codes = (code: string): ReadonlyMap<string, number> => new Map([[code, 1]]);

describe('the list of broken promises', () => {
  test('is empty when every promise is kept', () => {
    expect(broken([outcome()])).toEqual([]);
  });

  test.each<[string, Outcome, string]>([
    ['a failed acquire', outcome({ noConnection: codes('EPIPE') }), '1 acquires failed with EPIPE'],
    ['a failure without a code', outcome({ failed: codes('odd') }), 'a query failed without a code: odd'],
    ['no write after the fault', outcome({ firstWriteMs: Infinity }), 'the first write took Infinity ms'],
    ['a storm of dials', outcome({ mostDials: 500 }), '500 dials in one second'],
    ['a lost write', writes({ lost: [7] }), 'the acknowledged write 7 is lost'],
    ['a write sent twice', writes({ twice: [7] }), 'the write 7 was sent twice'],
    ['a load that never wrote', writes({ acked: 0 }), 'no write was acknowledged'],
    ['connections left', outcome({}, { totals: { left: 1, most: 6 } }), '1 connections are left'],
    [
      'too many connections',
      outcome({}, { totals: { left: 0, most: 7 } }),
      'more connections than the maximum',
    ],
  ])('%s is named', (_, found, line) => {
    expect(broken([found])).toEqual([expect.stringContaining(line)]);
    // The other pools are there for comparison, and promise nothing.
    expect(broken([{ ...found, id: 'pg.Pool/name' }])).toEqual([]);
  });
});

test('the failover table has the median and the worst of each figure, and the most frequent codes', () => {
  const once = outcome();
  const again = { fault: 'freeze' as const, cost: { ...GOOD, firstWriteMs: 900, mostDials: 8 } };
  const table = markdown([{ ...once, costs: [...once.costs, again] }], '2026-01-01');
  expect(table).toContain('each fault 2 times');
  expect(table).toContain('### primary frozen');
  expect(table).toContain('| pgauge/hosts | 0 | 4: 4 57P01 | 900, 900 | 8 |');
  expect(table).toContain('| pgauge/hosts | 10 | 0 | 0 |');
});
