import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { STAT_METRICS, type StatMetric } from '../../../scripts/telemetry-docs/stat-metrics.js';
import { startPoolStatsLogger, type InstrumentedPool, type PoolStat } from '../../../src/index.js';
import { METRIC } from '../../../src/telemetry/names.js';
import { RecordingLogger } from '../../support/logger.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { cleanUp, meterSdk } from '../../support/telemetry.js';

const server = usePostgres();
const makePool = usePools(server);

let sdk: ReturnType<typeof meterSdk>;
beforeEach(() => {
  sdk = meterSdk();
});
afterEach(cleanUp);

const FIELDS = Object.keys(STAT_METRICS) as (keyof PoolStat)[];

/** Computes a field from metrics as docs/telemetry.md describes it. */
function read(
  { metric, where = {}, read, times = 1 }: StatMetric,
  seen: Awaited<ReturnType<typeof sdk.collect>>,
) {
  const points = seen.find(({ descriptor }) => descriptor.name === METRIC[metric].name)?.dataPoints ?? [];
  return points
    .filter(({ attributes }) => Object.entries(where).every(([key, value]) => attributes[key] === value))
    .map(({ value }) => (read === 'value' ? value : (value as Record<typeof read, number>)[read]) as number)
    .reduce((sum, value) => sum + value * times, 0);
}

/** Expects that all three sources agree at one moment, for a pool in which nothing happens meanwhile. */
async function expectEqual(pool: InstrumentedPool): Promise<PoolStat> {
  const log = new RecordingLogger();
  const running = startPoolStatsLogger(pool, { logger: log, intervalMs: 5 });
  await until('a record', () => log.records.length > 0);
  running[Symbol.dispose]();
  const [record, stat, seen] = [log.records.at(-1)?.fields ?? {}, pool.stat(), await sdk.collect()];
  expect(pool.stat()).toEqual(stat);
  expect(Object.keys(record)).toHaveLength(FIELDS.length);
  for (const field of FIELDS) {
    const key = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    // A record contains whole milliseconds; counts are whole already.
    expect([field, record[key]]).toEqual([field, Math.trunc(stat[field])]);
    // An attempt in progress counts as a new connection, but has no duration yet.
    const inProgress = field === 'newConnsCount' ? stat.constructingConns : 0;
    // A histogram's sum is in seconds.
    expect(read(STAT_METRICS[field], seen) + inProgress, field).toBeCloseTo(stat[field], 6);
  }
  return stat;
}

describe('the stats record, stat() and the metrics', () => {
  test('have the same numbers in every state of a pool', async () => {
    const gate = { open: (): void => undefined, waits: Promise.resolve() };
    const pool = await makePool(
      server(),
      { maxOpenConns: 2 },
      { meterProvider: sdk.meterProvider, afterConnect: () => gate.waits },
    );
    const zeros = Object.fromEntries(FIELDS.map((field) => [field, 0]));
    expect(await expectEqual(pool)).toEqual({ ...zeros, maxConns: 2 });

    await pool.query('select 1');
    const first = await pool.connect();
    expect(await expectEqual(pool)).toMatchObject({ acquiredConns: 1, acquireCount: 2, newConnsCount: 1 });

    gate.waits = new Promise((resolve) => (gate.open = resolve));
    const second = pool.connect();
    expect(await expectEqual(pool)).toMatchObject({ acquiredConns: 1, constructingConns: 1 });
    gate.open();
    (await second).release();
    expect(await expectEqual(pool)).toMatchObject({ idleConns: 1, emptyAcquireCount: 2 });

    const held = await pool.connect();
    expect((await rejection(pool.connect({ timeoutMs: 20 }))).message).toContain('timeout');
    expect((await rejection(pool.connect({ signal: AbortSignal.abort() }))).name).toBe('AbortError');
    const waiting = pool.connect();
    expect(await expectEqual(pool)).toMatchObject({ acquiredConns: 2, canceledAcquireCount: 2 });

    first.release(true);
    held.release();
    (await waiting).release();
    await until('the dial that nobody waits for any more', () => pool.stat().constructingConns === 0);
    expect(await expectEqual(pool)).toMatchObject({ acquiredConns: 0, acquireCount: 5 });
  });

  test('count short-lived connections and failed attempts', async () => {
    let fail = false;
    const pool = await makePool(
      server(),
      { maxOpenConns: 1, connMaxLifetimeMs: 20 },
      {
        meterProvider: sdk.meterProvider,
        connMaxLifetimeJitterMs: 0,
        beforeConnect: () => {
          if (fail) throw new TypeError('not now');
        },
      },
    );
    await pool.query('select pg_sleep(0.05)');
    fail = true;
    await rejection(pool.query('select 1'));
    expect(await expectEqual(pool)).toMatchObject({ maxLifetimeDestroyCount: 1, newConnsCount: 2 });
  });

  test('count connections that were idle for too long', async () => {
    const pool = await makePool(server(), {}, { meterProvider: sdk.meterProvider, idleTimeoutMs: 20 });
    await pool.query('select 1');
    await until('it is closed', () => pool.totalCount === 0);
    expect(await expectEqual(pool)).toMatchObject({ maxIdleDestroyCount: 1, totalConns: 0 });
  });
});
