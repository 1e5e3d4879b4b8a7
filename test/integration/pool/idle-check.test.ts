import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

/** Longer than a connection may be idle without being asked whether it lives. */
const STALE_MS = 1_100;

beforeEach(() => proxy().clear());

async function idlePool(connections: number) {
  const pool = await makePool(proxy(), { maxOpenConns: connections });
  const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  for (const client of clients) client.release();
  return pool;
}

describe('a connection that was idle for more than a second', () => {
  test('is asked whether it lives, not by a query, and kept when it does', async () => {
    const pool = await idlePool(1);
    const before = await backendPid(pool);
    await sleep(STALE_MS);
    const bytes = proxy().clientBytes;
    const query = vi.spyOn((await import('pg')).default.Client.prototype, 'query');
    const client = await pool.connect();
    expect(query).not.toHaveBeenCalled();
    query.mockRestore();
    // One Sync message.
    expect(proxy().clientBytes - bytes).toBe(5);
    expect(await backendPid(client)).toBe(before);
    client.release();
    expect(proxy().accepted).toBe(1);
  });

  test('is handed out unasked while it is fresh', async () => {
    const pool = await idlePool(1);
    const bytes = proxy().clientBytes;
    const client = await pool.connect();
    expect(proxy().clientBytes).toBe(bytes);
    client.release();
  });

  test('is replaced when it is half open, before anybody gets it', async () => {
    const pool = await idlePool(3);
    await sleep(STALE_MS);
    // Connections made from now on are good; those that are open have died without a word.
    proxy().forgetOpen();
    const answers = await Promise.all(Array.from({ length: 3 }, () => pool.query('select 1 as one')));
    expect(answers.map(({ rows }) => rows as unknown)).toEqual(Array(3).fill([{ one: 1 }]));
    expect(pool.log.closeReasons.filter((reason) => reason === 'network')).toHaveLength(3);
    expect(pool.totalCount).toBeLessThanOrEqual(3);
  });

  test('brings the others that are as stale to be asked too', async () => {
    const pool = await idlePool(8);
    await sleep(STALE_MS);
    proxy().forgetOpen();
    const startedAt = performance.now();
    await pool.query('select 1');
    // One after the other they would take a second each.
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await until('all are gone', () => pool.log.closeReasons.length === 8);
    expect(pool.log.closeReasons).toEqual(Array(8).fill('network'));
    expect(pool.log.named('postgres connection lost').length).toBeGreaterThan(0);
  });

  test('loses nobody when the pool ends in the middle of the question', async () => {
    const pool = await idlePool(1);
    await sleep(STALE_MS);
    proxy().set({ blackHole: true });
    const asked = pool.connect();
    const outcome = expect(asked).rejects.toThrow('Cannot use a pool after calling end on the pool');
    await pool.end();
    await outcome;
    expect(pool.totalCount).toBe(0);
  });
});
