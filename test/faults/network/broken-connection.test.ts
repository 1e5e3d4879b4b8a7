import { beforeEach, describe, expect, test } from 'vitest';
import { useProxy } from '../../support/proxy.js';
import { rejection, until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { useWatchedPools } from '../support/watched-pools.js';

const server = useFaultServer();
const proxy = useProxy(server);
const makePool = useWatchedPools(server);
const LOST = /ECONNRESET|^Connection terminated/;

beforeEach(() => proxy().clear());

function codeOrText(error: Error & { code?: string }): string {
  return error.code ?? error.message;
}

describe('a connection that is reset', () => {
  test('while it is being opened rejects the acquire with its code', async () => {
    proxy().set({ refuse: true });
    const pool = await makePool(proxy());
    expect(codeOrText(await rejection(pool.connect()))).toMatch(LOST);
    expect(pool.totalCount).toBe(0);
    proxy().set({ refuse: false });
    await pool.keepsTheRules({ network: 'any' });
  });

  // In the first message, between messages of SCRAM, and in the parameters that follow.
  test.each([1, 7, 60, 200, 400])(
    'after %i bytes of the login rejects the acquire',
    async (cutAfterBytes) => {
      proxy().set({ cutAfterBytes });
      const pool = await makePool(proxy(), { maxOpenConns: 2 });
      const calls = [pool.connect(), pool.query(unique('select 1')), pool.connect()].map(rejection);
      for (const error of await Promise.all(calls)) expect(codeOrText(error)).toMatch(LOST);
      expect(pool.totalCount).toBe(0);
      proxy().set({ cutAfterBytes: Infinity });
      await pool.keepsTheRules({ network: 3 });
    },
  );

  test('while idle is removed, without a crash when the pool has no error listener', async () => {
    const pool = await makePool(proxy());
    await pool.query(unique('select 1'));
    proxy().resetAll();
    await until('it is noticed', () => pool.totalCount === 0);
    await pool.keepsTheRules({ network: 1 });
  });

  test('in the middle of a query rejects the query, which is not run again', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    const running = rejection(pool.query(unique('select pg_sleep(3)')));
    await until('the query runs', async () => {
      const { rowCount } = await server().query(
        "select 1 from pg_stat_activity where wait_event = 'PgSleep'",
      );
      return rowCount;
    });
    proxy().resetAll();
    expect(codeOrText(await running)).toMatch(LOST);
    await pool.keepsTheRules({ network: 1 });
  });

  test('inside a message rejects the query, and the pool recovers', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    proxy().set({ cutAfterBytes: 5_000 });
    expect(codeOrText(await rejection(pool.query(unique("select repeat('x', 100000) as long"))))).toMatch(
      LOST,
    );
    proxy().set({ cutAfterBytes: Infinity });
    const { rows } = await pool.query<{ long: string }>(unique("select repeat('x', 100000) as long"));
    expect(rows[0]?.long).toHaveLength(100_000);
    await pool.keepsTheRules({ network: 1 });
  });

  test('in the middle of a transaction rejects its next queries and its COMMIT', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query(unique('begin'));
    proxy().resetAll();
    const first = await rejection(client.query(unique('select 1')));
    expect(codeOrText(first)).toMatch(LOST);
    expect(codeOrText(await rejection(client.query(unique('commit'))))).toMatch(LOST);
    client.release(first);
    await pool.keepsTheRules({ network: 1 });
  });
});

describe('a slow link', () => {
  test('lets everything complete that has enough time', async () => {
    proxy().set({ delayMs: 60 });
    const pool = await makePool(proxy(), { maxOpenConns: 2 });
    const answers = Array.from({ length: 6 }, () => pool.query(unique('select 1 as one')));
    for (const { rows } of await Promise.all(answers)) expect(rows).toEqual([{ one: 1 }]);
    proxy().set({ delayMs: 0 });
    await pool.keepsTheRules({});
  });

  test('that is too slow for the deadline makes the query reject at it', async () => {
    proxy().set({ delayMs: 500 });
    const pool = await makePool(proxy(), { maxOpenConns: 2 }, { connectTimeoutMs: 2_000 });
    expect((await rejection(pool.query(unique('select 1')))).message).toContain('timeout');
    expect(pool.totalCount).toBe(0);
    proxy().set({ delayMs: 0 });
    await pool.keepsTheRules({ timeout: 1 });
  });

  test('that delivers one byte at a time lets everything complete', async () => {
    proxy().set({ chunkBytes: 1 });
    const pool = await makePool(proxy(), { maxOpenConns: 2 });
    const { rows } = await pool.query<{ n: number }>(unique('select generate_series(1, 50) as n'));
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
    expect((await rejection(pool.query(unique('select 1/0')))).code).toBe('22012');
    await pool.keepsTheRules({});
  });
});

describe('a throttled link', () => {
  test('lets a large result and a large parameter complete', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    await pool.query(unique('select 1'));
    // About 400 kB/s.
    proxy().set({ chunkBytes: 4_096, delayMs: 10 });
    const text = 'y'.repeat(100_000);
    const { rows } = await pool.query<{ long: string }>(unique('select $1 as long'), [text]);
    expect(rows[0]?.long).toBe(text);
    proxy().set({ chunkBytes: Infinity, delayMs: 0 });
    await pool.keepsTheRules({});
  });

  test('on which an answer takes longer than queryTimeoutMs rejects the query, and the pool recovers', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    await pool.query(unique('select 1'));
    proxy().set({ chunkBytes: 1_024, delayMs: 50 });
    const error = await rejection(pool.query(unique("select repeat('x', 100000) as long")));
    expect(error.message).toContain('timeout');
    await until('its connection is given up', () => pool.totalCount === 0);
    proxy().clear();
    await pool.keepsTheRules({ timeout: 1 });
  });
});
