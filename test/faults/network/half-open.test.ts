import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { useProxy } from '../../support/proxy.js';
import { until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { useWatchedPools, type WatchedPool } from '../support/watched-pools.js';

const server = useFaultServer();
const proxy = useProxy(server);
const makePool = useWatchedPools(server);

/** Longer than a connection may be idle without being pinged before use. */
const STALE_MS = 1_100;

beforeEach(() => proxy().clear());

async function idlePool(connections: number): Promise<WatchedPool> {
  const pool = await makePool(proxy(), { maxOpenConns: connections }, { queryTimeoutMs: STALE_MS });
  const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  for (const client of clients) client.release();
  return pool;
}

describe('idle connections that are half open', () => {
  test('that were idle for more than a second are replaced before one is handed out', async () => {
    const pool = await idlePool(3);
    await sleep(STALE_MS);
    // Connections made from now on work; the open ones have died silently.
    proxy().forgetOpen();
    const answers = await Promise.all(Array.from({ length: 3 }, () => pool.query(unique('select 1 as one'))));
    expect(answers.map(({ rows }) => rows as unknown)).toEqual(Array(3).fill([{ one: 1 }]));
    await settle(pool, 3);
  });

  test('are all pinged at once when one is found dead', async () => {
    const pool = await idlePool(20);
    await sleep(STALE_MS);
    proxy().forgetOpen();
    const startedAt = performance.now();
    await pool.query(unique('select 1'));
    // Pinged one after the other, they would take a second each.
    expect(performance.now() - startedAt).toBeLessThan(12_000);
    await settle(pool, 20);
  });

  test('that were used a moment ago cost at most one failed query', async () => {
    const pool = await idlePool(4);
    proxy().forgetOpen();
    const outcomes: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const [outcome] = await Promise.allSettled([pool.query(unique('select 1'))]);
      outcomes.push(outcome.status);
    }
    expect(outcomes.filter((status) => status === 'rejected')).toHaveLength(1);
    await until('the others are found dead', () => pool.log.closeReasons.length === 4);
    expect([...pool.log.closeReasons].sort()).toEqual(['network', 'network', 'network', 'timeout']);
    proxy().resetForgotten();
    await pool.keepsTheRules({ network: 3, timeout: 1 });
  });
});

async function settle(pool: WatchedPool, dead: number): Promise<void> {
  await until('all dead ones are gone', () => pool.log.closeReasons.length === dead);
  expect(pool.log.closeReasons).toEqual(Array(dead).fill('network'));
  expect(pool.log.named('postgres connection lost')).toHaveLength(1);
  // The server still has the sessions that the proxy forgot; reset them, as a firewall's timeout would.
  proxy().resetForgotten();
  await pool.keepsTheRules({ network: dead });
}
