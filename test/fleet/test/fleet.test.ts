import { describe, expect, test } from 'vitest';
import { LIMITS, simulateOutage, sizeFor } from '../fleet.js';
import { pgauge, pgPool } from '../pools.js';
import { markdown } from '../report.js';

const SEED = 7;
const riding = pgauge({ connectRetryMs: 60_000 });

describe.each([1, 10])('an outage of 30 s of the server of %d instances', (instances) => {
  test('fails no acquire with connectRetryMs, and causes a fiftieth of the dials', async () => {
    const [ridden, repeated] = [
      await simulateOutage(riding, instances, SEED),
      await simulateOutage(pgPool, instances, SEED),
    ];
    expect(ridden.failedPerCaller).toBe(0);
    expect(repeated.failedPerCaller).toBeGreaterThan(100);
    expect(ridden.dialsInOutage).toBeLessThan(repeated.dialsInOutage / 50);
    expect(ridden.mostDials).toBeLessThanOrEqual(2 * LIMITS.loginsPerSecond);
    // The longest pause is 5 s.
    expect(ridden.servedAfterMs).toBeLessThan(7_000);
  });

  test('gives the same result with the same seed', async () => {
    expect(await simulateOutage(riding, instances, SEED)).toEqual(
      await simulateOutage(riding, instances, SEED),
    );
  });
});

test('a fleet never asks for more connections than the server has', () => {
  for (const instances of [1, 100, 2_000, 5_000]) {
    expect(instances * sizeFor(instances)).toBeLessThanOrEqual(LIMITS.maxConnections);
  }
});

test("the fleet's result table has a section for each size", () => {
  const cost = { failedPerCaller: 294.6, dialsInOutage: 4_916.4, mostDials: 3, servedAfterMs: 2_420 };
  const table = markdown([{ instances: 2_000, strategy: 'one', cost }], 1);
  expect(table).toContain('2 000 instances of 2 connections:');
  expect(table).toContain('| one | 295 | 4 916 | 3 | 2.4 s |');
});
