import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

/** Longer than the delay between a destroy and the top-up that follows it. */
const TOPPED_UP_MS = 700;

beforeEach(() => proxy().clear());

async function warmPool(minConns: number, maxOpenConns: number) {
  const pool = await makePool(proxy(), { minConns, maxOpenConns });
  await until('the pool is warm', () => pool.idleCount === minConns);
  return pool;
}

describe('minConns', () => {
  test.each([
    [1, 3],
    [2, 2],
    [3, 10],
    [5, 5],
  ])('fills the pool to exactly %i of %i in the background', async (minConns, maxOpenConns) => {
    const pool = await warmPool(minConns, maxOpenConns);
    await sleep(TOPPED_UP_MS);
    expect(proxy().accepted).toBe(minConns);
    expect(pool.stat()).toMatchObject({ totalConns: minConns, newConnsCount: minConns });
  });

  test('is filled at once even if attempts are made one at a time', async () => {
    const pool = await makePool(proxy(), { minConns: 4 }, { maxConnecting: 1 });
    await until('the pool is warm', () => pool.idleCount === 4);
    expect(proxy().accepted).toBe(4);
  });

  test('is filled without counting or emitting an acquire', async () => {
    const told: string[] = [];
    const pool = await makePool(proxy(), { minConns: 2 });
    for (const event of ['acquire', 'release'] as const) pool.on(event, () => told.push(event));
    await until('the pool is warm', () => pool.idleCount === 2);
    expect(told).toEqual([]);
    expect(pool.stat()).toMatchObject({ acquireCount: 0, emptyAcquireCount: 0, acquireDurationMs: 0 });
    await pool.query('select 1');
    expect(pool.stat()).toMatchObject({ acquireCount: 1, emptyAcquireCount: 0, newConnsCount: 2 });
  });

  test('never exceeds the maximum, even with many queries at once', async () => {
    let most = 0;
    const pool = await makePool(proxy(), { minConns: 3, maxOpenConns: 3 });
    const queries = Array.from({ length: 20 }, async () => {
      await pool.query('select pg_sleep(0.005)');
      most = Math.max(most, pool.totalCount, proxy().open);
    });
    await Promise.all(queries);
    await sleep(50);
    expect(most).toBeLessThanOrEqual(3);
    expect(proxy().accepted).toBe(3);
  });

  test('is refilled after a connection is destroyed', async () => {
    const pool = await warmPool(2, 4);
    const client = await pool.connect();
    client.release(true);
    expect(pool.totalCount).toBe(1);
    await until('it is topped up', () => pool.idleCount === 2);
    expect(pool.stat().newConnsCount).toBe(3);
  });

  test('is refilled after all connections are lost', async () => {
    const pool = await warmPool(3, 3);
    proxy().resetAll();
    await until('all are lost', () => pool.totalCount === 0);
    await until('the pool is full again', () => pool.idleCount === 3);
    expect(pool.log.closeReasons.filter((reason) => reason === 'network')).toHaveLength(3);
  });

  test('is filled by the health check otherwise', async () => {
    const controller = new AbortController();
    const pool = await makePool(
      proxy(),
      { minConns: 2 },
      { signal: controller.signal, healthCheckPeriodMs: 150 },
    );
    controller.abort();
    await until('the pool is full', () => pool.idleCount === 2);
  });
});

describe('a warm-up whose connections are destroyed', () => {
  test('because afterConnect leaves a transaction open does not reconnect in a loop', async () => {
    const pool = await makePool(
      proxy(),
      { minConns: 2, maxOpenConns: 3 },
      {
        afterConnect: async (client) => {
          await client.query('begin');
        },
      },
    );
    await until('the first are destroyed', () => pool.log.closeReasons.length >= 2);
    await sleep(2_000);
    expect(proxy().accepted).toBeGreaterThan(2);
    expect(proxy().accepted).toBeLessThanOrEqual(14);
    expect(new Set(pool.log.closeReasons)).toEqual(new Set(['tx_open']));
  });

  test('because a connect listener leaves a transaction open does not reconnect in a loop', async () => {
    const pool = await makePool(proxy(), { minConns: 2, maxOpenConns: 3 });
    pool.on('connect', (client: PoolClient) => void client.query('begin'));
    await until('the first are destroyed', () => pool.log.closeReasons.length >= 2);
    await sleep(2_000);
    expect(proxy().accepted).toBeLessThanOrEqual(14);
  });
});
