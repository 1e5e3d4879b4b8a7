import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { InstrumentedPool, PoolStat } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeEach(() => proxy().clear());

const KEYS: (keyof PoolStat)[] = [
  'totalConns',
  'acquiredConns',
  'idleConns',
  'constructingConns',
  'maxConns',
  'acquireCount',
  'acquireDurationMs',
  'canceledAcquireCount',
  'emptyAcquireCount',
  'emptyAcquireWaitTimeMs',
  'newConnsCount',
  'maxLifetimeDestroyCount',
  'maxIdleDestroyCount',
];

/** The increase of the cumulative stats during `action`. */
async function added(pool: InstrumentedPool, action: () => Promise<unknown>): Promise<PoolStat> {
  const before = pool.stat();
  await action();
  const after = pool.stat();
  return Object.fromEntries(KEYS.map((key) => [key, after[key] - before[key]])) as unknown as PoolStat;
}

describe('stat()', () => {
  test('starts at zero, and has exactly the documented members', async () => {
    const pool = await makePool(server(), { maxOpenConns: 7 });
    const zero = Object.fromEntries(KEYS.map((key) => [key, 0]));
    expect(pool.stat()).toEqual({ ...zero, maxConns: 7 });
  });

  test('is a snapshot: it does not change afterwards', async () => {
    const pool = await makePool(server());
    const before = pool.stat();
    await pool.query('select 1');
    expect(before.acquireCount).toBe(0);
  });

  test('counts an acquire that opened a connection as empty, with its whole duration', async () => {
    const pool = await makePool(server(), {}, { beforeConnect: () => sleep(50) });
    const stat = await added(pool, async () => (await pool.connect()).release());
    expect(stat).toMatchObject({ acquireCount: 1, emptyAcquireCount: 1, newConnsCount: 1 });
    expect(stat.acquireDurationMs).toBeGreaterThanOrEqual(49);
    expect(stat.emptyAcquireWaitTimeMs).toBe(stat.acquireDurationMs);
  });

  test('counts a warm acquire as not empty', async () => {
    const pool = await makePool(server());
    await pool.query('select 1');
    const stat = await added(pool, async () => {
      (await pool.connect()).release();
      await pool.query('select 1');
    });
    expect(stat).toMatchObject({ acquireCount: 2, emptyAcquireCount: 0, newConnsCount: 0 });
    expect(stat.emptyAcquireWaitTimeMs).toBe(0);
  });

  test('counts a warm acquire with a ping as not empty', async () => {
    const pool = await makePool(server());
    await pool.query('select 1');
    await sleep(1_100);
    const stat = await added(pool, () => pool.query('select 1'));
    expect(stat).toMatchObject({ acquireCount: 1, emptyAcquireCount: 0, newConnsCount: 0 });
    expect(stat.acquireDurationMs).toBeGreaterThan(0);
  });

  test('counts an acquire that waited for a slot as empty, with its whole duration', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const holder = await pool.connect();
    const stat = await added(pool, async () => {
      const waiting = pool.connect();
      await sleep(60);
      holder.release();
      (await waiting).release();
    });
    expect(stat).toMatchObject({ acquireCount: 1, emptyAcquireCount: 1, newConnsCount: 0 });
    expect(stat.emptyAcquireWaitTimeMs).toBeGreaterThanOrEqual(58);
    expect(stat.acquireDurationMs).toBe(stat.emptyAcquireWaitTimeMs);
  });

  test('counts timeouts and aborts as cancelled, and as nothing else', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const holder = await pool.connect();
    const stat = await added(pool, async () => {
      await rejection(pool.connect({ timeoutMs: 20 }));
      await rejection(pool.connect({ signal: AbortSignal.timeout(20) }));
      await rejection(pool.connect({ signal: AbortSignal.abort() }));
    });
    expect(stat).toMatchObject({
      ...{ canceledAcquireCount: 3, acquireCount: 0, emptyAcquireCount: 0 },
      ...{ acquireDurationMs: 0, emptyAcquireWaitTimeMs: 0, newConnsCount: 0 },
    });
    holder.release();
  });

  test('counts a failed dial as an attempt, not as cancelled nor as an acquire', async () => {
    const pool = await makePool(server(), { password: 'wrong' });
    const stat = await added(pool, () => rejection(pool.query('select 1')));
    expect(stat).toMatchObject({
      ...{ newConnsCount: 1, canceledAcquireCount: 0, acquireCount: 0, emptyAcquireCount: 0 },
      ...{ acquireDurationMs: 0, emptyAcquireWaitTimeMs: 0, totalConns: 0 },
    });
  });

  test('does not count acquires that end() rejects', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const holder = await pool.connect();
    const stat = await added(pool, async () => {
      const waiting = rejection(pool.connect());
      const ended = pool.end({ waiting: 'reject' });
      holder.release();
      await Promise.all([waiting, ended]);
      await rejection(pool.connect());
    });
    expect(stat).toMatchObject({ canceledAcquireCount: 0, acquireCount: 0, newConnsCount: 0 });
  });

  test('has the current numbers of constructing, acquired, idle and all connections', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 4 });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    expect(pool.stat()).toMatchObject({
      acquiredConns: 3,
      idleConns: 0,
      constructingConns: 0,
      totalConns: 3,
    });
    proxy().set({ blackHole: true });
    const dialling = rejection(pool.connect({ timeoutMs: 100 }));
    expect(pool.stat()).toMatchObject({
      acquiredConns: 3,
      idleConns: 0,
      constructingConns: 1,
      totalConns: 4,
    });
    await dialling;
    clients.pop()?.release();
    expect(pool.stat()).toMatchObject({
      acquiredConns: 2,
      idleConns: 1,
      constructingConns: 1,
      totalConns: 4,
    });
    for (const client of clients) client.release();
    expect(pool.stat()).toMatchObject({
      acquiredConns: 0,
      idleConns: 3,
      constructingConns: 1,
      totalConns: 4,
    });
    expect([pool.totalCount, pool.idleCount, pool.waitingCount, pool.expiredCount]).toEqual([4, 3, 0, 0]);
  });

  test('agrees with counts taken outside the pool over a mixed load', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 3 });
    const events = { acquire: 0, connect: 0, remove: 0 };
    for (const event of ['acquire', 'connect', 'remove'] as const) pool.on(event, () => (events[event] += 1));
    let timeouts = 0;
    const jobs = Array.from({ length: 60 }, async (_, index) => {
      if (index % 10 === 0) {
        await pool.connect({ timeoutMs: 5 }).then(
          (client) => client.release(),
          () => (timeouts += 1),
        );
        return;
      }
      const client = await pool.connect();
      await client.query('select pg_sleep(0.004)');
      client.release(index % 7 === 0);
    });
    await Promise.all(jobs);
    const stat = pool.stat();
    expect(timeouts).toBeGreaterThan(0);
    expect(stat.canceledAcquireCount).toBe(timeouts);
    expect(stat.acquireCount).toBe(60 - timeouts);
    expect(stat.acquireCount).toBe(events.acquire);
    expect(stat.newConnsCount).toBe(proxy().accepted);
    await until('what was destroyed is closed', () => events.connect - events.remove === pool.totalCount);
    expect(stat.emptyAcquireCount).toBeLessThanOrEqual(stat.acquireCount);
    expect(stat.emptyAcquireWaitTimeMs).toBeLessThanOrEqual(stat.acquireDurationMs);
  });
});
