import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeEach(() => proxy().clear());

describe('a connection that has outlived its lifetime', () => {
  test('is not handed out again', async () => {
    const pool = await makePool(
      server(),
      { connMaxLifetimeMs: 2_000 },
      { connMaxLifetimeJitterMs: 0, healthCheckPeriodMs: 0 },
    );
    const before = await backendPid(pool);
    await sleep(2_010);
    expect(pool.stat()).toMatchObject({ idleConns: 1, maxLifetimeDestroyCount: 0 });
    expect(await backendPid(pool)).not.toBe(before);
    expect(pool.stat()).toMatchObject({ totalConns: 1, maxLifetimeDestroyCount: 1, newConnsCount: 2 });
    expect(pool.log.closeReasons).toEqual(['lifetime']);
  });

  test('is destroyed when it is released, never while it is in use', async () => {
    const pool = await makePool(
      server(),
      { connMaxLifetimeMs: 50 },
      { connMaxLifetimeJitterMs: 0, healthCheckPeriodMs: 10 },
    );
    const client = await pool.connect();
    await client.query('select pg_sleep(0.15)');
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.stat()).toMatchObject({ totalConns: 1, maxLifetimeDestroyCount: 0 });
    client.release();
    expect(pool.stat()).toMatchObject({ totalConns: 0, maxLifetimeDestroyCount: 1 });
  });

  test('is destroyed by the health check while it is idle', async () => {
    const pool = await makePool(
      proxy(),
      { connMaxLifetimeMs: 100 },
      { connMaxLifetimeJitterMs: 0, healthCheckPeriodMs: 20 },
    );
    await pool.query('select 1');
    await until('it is gone', () => pool.totalCount === 0);
    expect(pool.stat()).toMatchObject({ maxLifetimeDestroyCount: 1, maxIdleDestroyCount: 0 });
    await until('its socket is closed', () => proxy().open === 0);
  });

  test('lives longer by a random part of the jitter, different for each connection', async () => {
    const pool = await makePool(
      server(),
      { connMaxLifetimeMs: 100, maxOpenConns: 20 },
      { connMaxLifetimeJitterMs: 600, healthCheckPeriodMs: 10 },
    );
    const clients = await Promise.all(Array.from({ length: 20 }, () => pool.connect()));
    for (const client of clients) client.release();
    await until('the last one is gone', () => pool.totalCount === 0);
    const ages = pool.log.named('postgres connection closed').map(({ fields }) => Number(fields['age_ms']));
    expect(ages).toHaveLength(20);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(100);
    // The chance that twenty random times all lie within 60 ms is one in 10^18.
    expect(Math.max(...ages) - Math.min(...ages)).toBeGreaterThan(60);
  });
});

describe('a connection that has been used maxUses times', () => {
  test('is replaced', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { maxUses: 2 });
    const pids = [];
    for (let use = 0; use < 4; use += 1) pids.push(await backendPid(pool));
    expect(pids[1]).toBe(pids[0]);
    expect(pids[2]).not.toBe(pids[0]);
    expect(pids[3]).toBe(pids[2]);
    expect(pool.log.closeReasons).toEqual(['max_uses', 'max_uses']);
  });
});

describe('a connection that is idle for too long', () => {
  test('is destroyed by the health check and counted as idle', async () => {
    const pool = await makePool(proxy(), {}, { idleTimeoutMs: 80, healthCheckPeriodMs: 20 });
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    await until('they are gone', () => pool.totalCount === 0);
    expect(pool.stat()).toMatchObject({ maxIdleDestroyCount: 2, maxLifetimeDestroyCount: 0 });
    expect(pool.log.closeReasons).toEqual(['idle', 'idle']);
    await until('their sockets are closed', () => proxy().open === 0);
  });

  test('is kept while minConns needs it', async () => {
    const pool = await makePool(server(), { minConns: 1 }, { idleTimeoutMs: 80, healthCheckPeriodMs: 20 });
    await until('the pool is warm', () => pool.idleCount === 1);
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    await until('the surplus is gone', () => pool.totalCount === 1);
    await sleep(200);
    expect(pool.stat()).toMatchObject({ totalConns: 1, maxIdleDestroyCount: 2, newConnsCount: 3 });
  });

  test('is kept for ever with idleTimeoutMs 0', async () => {
    const pool = await makePool(server(), {}, { idleTimeoutMs: 0, healthCheckPeriodMs: 10 });
    await pool.query('select 1');
    await sleep(100);
    expect(pool.idleCount).toBe(1);
  });
});

describe('reset()', () => {
  test('closes idle connections at once and the others when they are released', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 });
    const [held, idle] = await Promise.all([pool.connect(), pool.connect()]);
    const before = await backendPid(held);
    idle.release();
    pool.reset();
    expect(pool.stat()).toMatchObject({ totalConns: 1, acquiredConns: 1, idleConns: 0 });
    expect(await backendPid(held)).toBe(before);
    held.release();
    expect(pool.totalCount).toBe(0);
    const after = await backendPid(pool);
    expect(await backendPid(pool)).toBe(after);
    expect(pool.stat().maxLifetimeDestroyCount).toBe(0);
  });

  test('retires connections that are still being dialled', async () => {
    const idle = (): void => undefined;
    let proceed = idle;
    const beforeConnect = (): Promise<void> => new Promise((resolve) => (proceed = resolve));
    const pool = await makePool(server(), { maxOpenConns: 1 }, { beforeConnect });
    const dialling = pool.connect();
    await until('the hook runs', () => proceed !== idle);
    pool.reset();
    proceed();
    const client = await dialling;
    client.release();
    expect(pool.totalCount).toBe(0);
  });
});
