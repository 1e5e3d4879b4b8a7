import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConfigError, ConnectTimeoutError, type ConnectTarget } from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeEach(() => proxy().clear());
afterEach(() => void vi.useRealTimers());

describe('beforeConnect', () => {
  test('gets a fresh copy of the target for each attempt, and changes apply to that attempt only', async () => {
    const seen: ConnectTarget[] = [];
    const copies: ConnectTarget[] = [];
    const pool = await makePool(
      proxy(),
      { maxOpenConns: 1 },
      {
        beforeConnect: (target) => {
          seen.push(target);
          copies.push({ ...target });
          target.database = seen.length === 1 ? 'template1' : target.database;
        },
      },
    );
    const client = await pool.connect();
    expect((await client.query('select current_database() as db')).rows).toEqual([{ db: 'template1' }]);
    client.release(true);
    expect((await pool.query('select current_database() as db')).rows).toEqual([{ db: server().database }]);
    const { user, password, database } = server();
    const original = { host: proxy().host, port: proxy().port, user, password, database, ssl: false };
    expect(copies).toEqual([original, original]);
    expect(seen[0]).not.toBe(seen[1]);
  });

  test('runs once for each connection attempt and never for a query', async () => {
    let runs = 0;
    const pool = await makePool(proxy(), { maxOpenConns: 2 }, { beforeConnect: () => void (runs += 1) });
    await Promise.all([pool.query('select pg_sleep(0.05)'), pool.query('select pg_sleep(0.05)')]);
    for (let round = 0; round < 5; round += 1) await pool.query('select 1');
    expect(runs).toBe(2);
    expect(proxy().accepted).toBe(2);
  });

  test('may change the port and the user of an attempt', async () => {
    await server().query("create role guest login password 'welcome'");
    const pool = await makePool(
      server(),
      { password: 'unused' },
      {
        beforeConnect: (target) => {
          Object.assign(target, { port: proxy().port, user: 'guest', password: 'welcome' });
        },
      },
    );
    expect((await pool.query('select current_user as me')).rows).toEqual([{ me: 'guest' }]);
    expect(proxy().accepted).toBe(1);
  });

  test('is awaited before the connection is dialled', async () => {
    let accepted: number | undefined;
    const pool = await makePool(
      proxy(),
      {},
      {
        beforeConnect: async () => {
          await sleep(80);
          accepted = proxy().accepted;
        },
      },
    );
    await pool.query('select 1');
    expect(accepted).toBe(0);
  });

  test('that throws rejects the query with the same error, and no connection is dialled', async () => {
    const mine = Object.assign(new Error('mine'), { code: 'EMINE' });
    const pool = await makePool(proxy(), {}, { beforeConnect: () => Promise.reject(mine) });
    expect(await rejection(pool.connect())).toBe(mine);
    expect(await rejection(pool.query('select 1'))).toBe(mine);
    const inCallback = await new Promise<unknown>((resolve) => pool.connect((error) => resolve(error)));
    expect(inCallback).toBe(mine);
    expect(proxy().accepted).toBe(0);
    expect(pool.stat()).toMatchObject({ totalConns: 0, newConnsCount: 3 });
    expect(pool.log.closeReasons).toEqual([]);
  });

  test.each(['user', 'database', 'password', 'host'] as const)(
    'that puts a NUL into the %s is refused, and no connection is dialled',
    async (field) => {
      const secret = 'visible-only-to-the-hook';
      const pool = await makePool(
        proxy(),
        {},
        {
          beforeConnect: (target) => {
            target[field] = `${secret}\0user\0postgres`;
          },
        },
      );
      const error = await rejection(pool.connect());
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain(field);
      expect(error.message).not.toContain(secret);
      expect(proxy().accepted).toBe(0);
      expect(pool.totalCount).toBe(0);
    },
  );

  test('that hangs is abandoned at the connect deadline: its signal aborts, and no connection is dialled', async () => {
    let signal: AbortSignal | undefined;
    const pool = await makePool(
      proxy(),
      {},
      {
        connectTimeoutMs: 200,
        beforeConnect: (_target, context) => {
          signal = context.signal;
          return new Promise(() => undefined);
        },
      },
    );
    const error = await rejection(pool.query('select 1'));
    expect(error).toBeInstanceOf(ConnectTimeoutError);
    expect(error.message).toContain('timeout');
    expect(signal?.aborted).toBe(true);
    expect(proxy().accepted).toBe(0);
    expect(pool.totalCount).toBe(0);
  });

  test('that returns after the deadline has no effect', async () => {
    let runs = 0;
    let late = false;
    let answer: () => void = () => undefined;
    const pool = await makePool(
      proxy(),
      {},
      {
        connectTimeoutMs: 2_000,
        beforeConnect: async (target) => {
          runs += 1;
          if (runs > 1) return;
          await new Promise<void>((resolve) => (answer = resolve));
          target.user = 'nobody';
          late = true;
        },
      },
    );
    expect(await rejection(pool.connect())).toBeInstanceOf(ConnectTimeoutError);
    answer();
    await until('the late answer has come', () => late);
    expect(await backendPid(pool)).toBeGreaterThan(0);
    expect(proxy().accepted).toBe(1);
  });

  test('shares its deadline with the dial that follows', async () => {
    proxy().set({ blackHole: true });
    // The clock advances only when the test does it, so that a busy machine changes nothing.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const beforeConnect = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 400));
    const pool = await makePool(proxy(), {}, { connectTimeoutMs: 800, beforeConnect });
    let rejected = false;
    const connecting = rejection(pool.connect()).finally(() => (rejected = true));
    await vi.advanceTimersByTimeAsync(400);
    const waitedFor = Date.now();
    while (proxy().accepted === 0 && Date.now() - waitedFor < 30_000) await sleep(10);
    expect(proxy().accepted).toBe(1);
    await vi.advanceTimersByTimeAsync(399);
    await sleep(50);
    expect(rejected).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await connecting).toBeInstanceOf(ConnectTimeoutError);
    vi.useRealTimers();
    await until('the sockets are closed', () => proxy().open === 0);
  });
});
