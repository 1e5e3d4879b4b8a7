import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

/** Longer than a connection may be idle without being pinged before use. */
const STALE_MS = 1_100;

beforeEach(() => proxy().clear());

async function idlePool(connections: number) {
  const pool = await makePool(proxy(), { maxOpenConns: connections });
  const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  for (const client of clients) client.release();
  return pool;
}

describe('an idle connection', () => {
  test('is pinged after more than a second, without a query, and kept if it answers', async () => {
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

  test('is handed out without a ping within a second', async () => {
    const pool = await idlePool(1);
    const bytes = proxy().clientBytes;
    const client = await pool.connect();
    expect(proxy().clientBytes).toBe(bytes);
    client.release();
  });

  test('does not leave its acquire pending when the pool ends during the ping', async () => {
    const pool = await idlePool(1);
    await sleep(STALE_MS);
    proxy().set({ blackHole: true });
    const asked = pool.connect();
    const outcome = expect(asked).rejects.toThrow('Cannot use a pool after calling end on the pool');
    await pool.end({ waiting: 'reject' });
    await outcome;
    expect(pool.totalCount).toBe(0);
  });
});
