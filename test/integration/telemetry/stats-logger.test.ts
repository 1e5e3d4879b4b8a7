import { describe, expect, test } from 'vitest';
import {
  DEFAULT_POOL_STATS_INTERVAL_MS,
  newPool,
  startPoolStatsLogger,
  type InstrumentedPool,
  type PoolStat,
} from '../../../src/index.js';
import { runScript } from '../../support/child.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { RecordingLogger } from '../../support/logger.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';

useCleanEnvironment();
const server = usePostgres();
const makePool = usePools(server);

const MESSAGE = 'postgres pool stats';
const snakeCase = (stat: PoolStat): object =>
  Object.fromEntries(
    Object.entries(stat).map(([key, value]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      Math.trunc(value as number),
    ]),
  );

/** Waits until another stats logger with the same interval has written this many times. */
async function intervals(pool: InstrumentedPool, count: number): Promise<void> {
  const clock = new RecordingLogger();
  const running = startPoolStatsLogger(pool, { logger: clock, intervalMs: 10 });
  await until('the time has passed', () => clock.records.length >= count);
  running[Symbol.dispose]();
}

describe('startPoolStatsLogger', () => {
  test('writes the current stat() at debug level, in snake_case', async () => {
    const pool = await makePool(server(), { maxOpenConns: 3 });
    const held = await pool.connect();
    await pool.query('select 1');
    const log = new RecordingLogger();
    startPoolStatsLogger(pool, { logger: log, intervalMs: 10 });
    // The first record comes after an interval.
    expect(log.records).toEqual([]);
    await until('a record', () => log.records.length > 0);
    expect(log.records[0]).toEqual({ level: 'debug', message: MESSAGE, fields: snakeCase(pool.stat()) });
    expect(log.records[0]?.fields).toMatchObject({
      total_conns: 2,
      acquired_conns: 1,
      idle_conns: 1,
      max_conns: 3,
      acquire_count: 2,
    });
    held.release();
    await pool.query('select 1');
    const { length } = log.records;
    await until('another record', () => log.records.length > length);
    expect(log.records.at(-1)?.fields).toEqual(snakeCase(pool.stat()));
  });

  test.each<[string, (pool: InstrumentedPool, stop: AbortController, running: Disposable) => void]>([
    ['its signal is aborted', (_pool, stop) => stop.abort()],
    ['it is disposed', (_pool, _stop, running) => running[Symbol.dispose]()],
    ['the pool ends', (pool) => void pool.end()],
  ])('stops when %s', async (_how, end) => {
    const [pool, other] = [await makePool(server()), await makePool(server())];
    const log = new RecordingLogger();
    const stop = new AbortController();
    const running = startPoolStatsLogger(pool, { logger: log, intervalMs: 10, signal: stop.signal });
    await until('a record', () => log.records.length > 0);
    end(pool, stop, running);
    const { length } = log.records;
    await intervals(other, 10);
    expect(log.records).toHaveLength(length);
  });

  test("writes to the pool's logger when none is given", async () => {
    const pool = await makePool(server());
    startPoolStatsLogger(pool, { intervalMs: 10 });
    await until('a record', () => pool.log.named(MESSAGE).length > 0);
  });

  test('does nothing without a pool or with one that has ended', async () => {
    for (const none of [null, undefined]) startPoolStatsLogger(none, { intervalMs: 10 })[Symbol.dispose]();
    const [pool, other] = [await makePool(server()), await makePool(server())];
    await pool.end();
    const log = new RecordingLogger();
    startPoolStatsLogger(pool, { logger: log, intervalMs: 10 });
    await intervals(other, 5);
    expect(log.records).toEqual([]);
  });

  test('writes every minute unless told otherwise', () => {
    expect(DEFAULT_POOL_STATS_INTERVAL_MS).toBe(60_000);
  });
});

describe('the option statsLog', () => {
  test('starts the stats logger with the pool and stops it when the pool ends', async () => {
    const log = new RecordingLogger();
    const { host, port, user, password, database } = server();
    const config = { host, port, user, password, database, sslMode: 'disable' } as const;
    const pool = await newPool(config, { logger: log, statsLog: { intervalMs: 10 } });
    await until('a record', () => log.named(MESSAGE).length > 0);
    await pool.end();
    const { length } = log.named(MESSAGE);
    await intervals(await makePool(server()), 10);
    expect(log.named(MESSAGE)).toHaveLength(length);
  });

  test.each([
    ['debug', true],
    ['info', false],
  ])(
    'does not keep the process alive, and writes to stderr according to PGAUGE_LOG_LEVEL=%s',
    async (level, shown) => {
      const { host, port, user, password, database } = server();
      const config = JSON.stringify({ host, port, user, password, database, sslMode: 'disable' });
      const script = new URL('../../support/scripts/stats-log.ts', import.meta.url);
      const child = await runScript(script, [config], { env: { PGAUGE_LOG_LEVEL: level } }).result;
      expect(child).toMatchObject({ code: 0, signal: null, lines: ['done'] });
      // It would be killed only after 60 s, so it ended by itself, and soon.
      expect(child.lingeredMs).toBeLessThan(10_000);
      const records = child.stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { msg: string; level: number; acquire_count?: number });
      expect(records.some(({ msg }) => msg === MESSAGE)).toBe(shown);
      expect(records.some(({ msg }) => msg === 'postgres connection pool created')).toBe(true);
      expect(child.stderr).not.toContain(password);
    },
  );
});
