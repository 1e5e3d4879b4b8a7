import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { useProxy } from '../../support/proxy.js';
import { rejection, until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { useWatchedPools } from '../support/watched-pools.js';

const server = useFaultServer();
const proxy = useProxy(server);
const makePool = useWatchedPools(server);

beforeEach(() => proxy().clear());

describe('an outage while the pool fills its minimum', () => {
  test('leads to attempts with pauses, and the minimum is restored afterwards', async () => {
    proxy().set({ refuse: true });
    const attempts: number[] = [];
    const pool = await makePool(
      proxy(),
      { minConns: 3, maxOpenConns: 3 },
      { beforeConnect: () => void attempts.push(performance.now()) },
    );
    await sleep(4_000);
    // Three at first, then one at a time after random pauses.
    expect(attempts.length).toBeGreaterThan(3);
    expect(proxy().accepted).toBeLessThanOrEqual(40);
    proxy().set({ refuse: false });
    await until('the pool is restored', () => pool.idleCount === 3);
    expect(pool.stat().newConnsCount).toBe(proxy().accepted);
    await pool.keepsTheRules({ network: 'any' });
  });

  test('does not stop the health check from filling the minimum after the signal of newPool ended the first fill', async () => {
    await proxy().pause();
    const controller = new AbortController();
    const pool = await makePool(
      proxy(),
      { minConns: 2 },
      { signal: controller.signal, healthCheckPeriodMs: 150 },
    );
    // Two failures each; the pause before the next attempts is now longer than the steps below take.
    await until('attempts have failed', () => pool.stat().newConnsCount >= 4 && pool.totalCount === 0);
    controller.abort();
    await sleep(50);
    await proxy().listen();
    await until('the pool is full', () => pool.idleCount === 2);
    await pool.keepsTheRules({});
  });

  test('of a warm pool also leads to attempts with pauses, and queries reject with its code', async () => {
    const pool = await makePool(proxy(), { minConns: 3, maxOpenConns: 3 });
    await until('the pool is warm', () => pool.idleCount === 3);
    proxy().set({ refuse: true });
    const before = proxy().accepted;
    proxy().resetAll();
    await until('all are lost', () => pool.totalCount === 0);
    expect((await rejection(pool.query(unique('select 1')))).code).toBe('ECONNRESET');
    await sleep(2_000);
    expect(proxy().accepted - before).toBeLessThanOrEqual(21);
    proxy().set({ refuse: false });
    expect((await pool.query(unique('select 1 as one'))).rows).toEqual([{ one: 1 }]);
    await until('the pool is restored', () => pool.idleCount === 3);
    await pool.keepsTheRules({ network: 'some' });
  });

  test('is logged, and leaves no unhandled rejection', async () => {
    await proxy().pause();
    const pool = await makePool(proxy(), { minConns: 1 });
    await until('it is logged', () => pool.log.named('postgres connect failed').length > 0);
    expect(pool.log.named('postgres connect failed')[0]).toMatchObject({
      level: 'warn',
      fields: { error_type: 'ECONNREFUSED', phase: 'tcp', attempt: 1 },
    });
    await proxy().listen();
    await pool.keepsTheRules({});
  });
});
