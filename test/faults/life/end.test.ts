import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { AcquireTimeoutError, PoolEndedError, type InstrumentedPool } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { useSockets } from '../support/sockets.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);
const sockets = useSockets();
const ENDED = 'Cannot use a pool after calling end on the pool';

beforeEach(() => proxy().clear());

/** Returns a function that returns whether the sockets of the clients have been closed. */
function watchClosed(clients: PoolClient[]): () => boolean {
  let open = clients.length;
  for (const client of clients) {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    // Do not use its property `closed`, which a socket sets before the system has closed it.
    stream.once('close', () => (open -= 1));
  }
  return () => open === 0;
}

describe('end()', () => {
  test('closes every socket before it resolves', async () => {
    const pool = await makePool(proxy());
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    const allClosed = watchClosed(clients);
    await pool.end();
    expect(allClosed()).toBe(true);
    expect(pool.stat()).toMatchObject({ totalConns: 0, idleConns: 0 });
    expect([pool.ending, pool.ended]).toEqual([true, true]);
    expect(pool.log.closeReasons).toEqual(['pool_end', 'pool_end', 'pool_end']);
    await until('the proxy sees them closed', () => proxy().open === 0);
  });

  test('closes the socket of a cancel request before it resolves', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 3_000 });
    const slow = rejection(pool.query('select pg_sleep(60) /* cancelled by end */'));
    const running = `select 1 from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60) /* cancelled by end */'`;
    await until('the server runs it', async () => (await server().query(running)).rowCount === 1);
    // The server does not answer a cancel request.
    proxy().set({ blackHole: true });
    expect((await slow).message).toContain('timeout');
    await until('the cancel request is dialled', () => sockets.held === 2);
    await pool.end();
    expect(sockets.held).toBe(0);
  });

  test('closes connections cleanly, so that the server logs no unexpected EOF', async () => {
    const pool = await makePool(server());
    await pool.query('select 1');
    await pool.end();
    expect(server().log()).not.toContain('unexpected EOF');
  });

  test('resolves every later call, in each form, together with the first', async () => {
    const pool = await makePool(server());
    await pool.query('select 1');
    const called: string[] = [];
    const first = pool.end();
    const second = pool.end();
    pool.end(() => called.push('callback'));
    await Promise.all([first, second, pool[Symbol.asyncDispose]()]);
    await pool.end();
    await until('the callback is called', () => called.length === 1);
    expect(pool.log.named('postgres connection pool ended')).toHaveLength(1);
  });

  test('is called by await using', async () => {
    let pool;
    {
      await using scoped = await makePool(server());
      await scoped.query('select 1');
      pool = scoped;
    }
    expect(pool.ended).toBe(true);
  });

  test('makes every later call fail with the message of node-postgres', async () => {
    const pool = await makePool(proxy());
    await pool.end();
    for (const error of [await rejection(pool.connect()), await rejection(pool.query('select 1'))]) {
      expect(error).toBeInstanceOf(PoolEndedError);
      expect(error.message).toBe(ENDED);
      expect(error.code).toBe('ERR_PGAUGE_POOL_ENDED');
    }
    const inCallback = await new Promise<unknown>((resolve) => pool.connect((error) => resolve(error)));
    expect(inCallback).toBeInstanceOf(PoolEndedError);
    expect(proxy().accepted).toBe(0);
  });

  test('lets every query that was made before it finish, on fewer connections than queries', async () => {
    await server().query('create table asked_for (id int)');
    const pool = await makePool(server(), { maxOpenConns: 3 });
    const queries = Array.from({ length: 15 }, (_, id) => pool.query(`insert into asked_for values (${id})`));
    const ended = pool.end();
    expect((await rejection(pool.query('select 1'))).message).toBe(ENDED);
    await Promise.all(queries);
    await ended;
    expect((await server().query('select count(*)::int as rows from asked_for')).rows).toEqual([
      { rows: 15 },
    ]);
  });

  test('serves waiting acquires when a client is released', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const waiting = pool.connect();
    const ended = pool.end();
    client.release();
    const next = await waiting;
    expect((await next.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.ended).toBe(false);
    next.release();
    await ended;
  });

  test('serves waiting queries with a new connection when the one they waited for is destroyed', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const waiting = pool.query('select 1 as one');
    const ended = pool.end();
    client.release(true);
    expect((await waiting).rows).toEqual([{ one: 1 }]);
    await ended;
  });

  test('lets waiting acquires time out at their own deadlines', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const waiting = rejection(pool.connect({ timeoutMs: 50 }));
    const ended = pool.end();
    expect(await waiting).toBeInstanceOf(AcquireTimeoutError);
    client.release();
    await ended;
    expect(pool.stat().canceledAcquireCount).toBe(1);
  });

  test('lets the last queries of a released client finish', async () => {
    await server().query('create table last_words (id int)');
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    for (const text of ['begin', 'insert into last_words values (1)', 'commit']) void client.query(text);
    const ended = pool.end();
    client.release();
    await ended;
    expect((await server().query('select * from last_words')).rows).toEqual([{ id: 1 }]);
  });

  test.each([
    ["end({ waiting: 'reject' })", (pool: InstrumentedPool) => pool.end({ waiting: 'reject' })],
    [
      "end({ waiting: 'reject' }) after end()",
      async (pool: InstrumentedPool) => {
        const first = pool.end();
        await pool.end({ waiting: 'reject' });
        await first;
      },
    ],
  ])('%s rejects waiting acquires and queries at once', async (_how, end) => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const waiting = [rejection(pool.connect()), rejection(pool.query('select 1'))];
    const ended = end(pool);
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(PoolEndedError);
    expect(pool.ended).toBe(false);
    client.release();
    await ended;
    expect(pool.stat().canceledAcquireCount).toBe(0);
  });

  test('refuses an unknown value of the waiting option', async () => {
    const pool = await makePool(server());
    const error = await rejection(pool.end({ waiting: 'forget' as 'serve' }));
    expect(error).toBeInstanceOf(TypeError);
    expect(pool.ending).toBe(false);
  });

  test('resolves only after the server has closed every session', async () => {
    const database = 'dropped_at_once';
    for (let run = 0; run < 10; run += 1) {
      await server().query(`create database ${database}`);
      const pool = await makePool(server(), { database, maxOpenConns: 5 });
      await Promise.all(Array.from({ length: 5 }, () => pool.query('select 1')));
      await pool.end();
      await server().query(`drop database ${database}`);
    }
  });

  test('warns after 5 s how many clients it is waiting for, how long they were held, and with which stacks', async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      { leakDetectionMs: 600_000, acquireTimeoutMs: 0 },
    );
    const client = await pool.connect();
    const waiting = pool.query('select 1');
    const ended = pool.end();
    await until('it warns', () => pool.log.named('postgres connection pool end is waiting').length > 0);
    expect(pool.log.named('postgres connection pool end is waiting')).toMatchObject([
      {
        level: 'warn',
        fields: {
          connections: 1,
          held_ms: [expect.any(Number) as number],
          stacks: [expect.stringContaining('end.test.ts') as string],
          pending: 1,
        },
      },
    ]);
    client.release();
    await waiting;
    await ended;
  });

  test('waits for checked-out clients, whose queries still work', async () => {
    const pool = await makePool(server());
    const client = await pool.connect();
    const allClosed = watchClosed([client]);
    const running = client.query('select pg_sleep(0.1), 1 as one');
    const ended = pool.end();
    expect((await running).rows).toMatchObject([{ one: 1 }]);
    expect((await client.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    await sleep(50);
    expect(pool.ended).toBe(false);
    client.release();
    await ended;
    expect(allClosed()).toBe(true);
  });

  test('destroys checked-out clients after endTimeoutMs, with a warning', async () => {
    const pool = await makePool(server(), {}, { endTimeoutMs: 100 });
    const clients = [await pool.connect(), await pool.connect()];
    const allClosed = watchClosed(clients);
    const running = rejection(clients[0]?.query('select pg_sleep(20)') ?? Promise.resolve());
    await pool.end();
    expect(allClosed()).toBe(true);
    expect((await running).message).toMatch(/^Connection terminated|^Cannot use a pool/);
    expect(pool.log.named('postgres connection pool end forced')).toMatchObject([
      { level: 'warn', fields: { connections: 2 } },
    ]);
    for (const client of clients) client.release();
    expect(pool.totalCount).toBe(0);
  });

  test('after endTimeoutMs rejects waiting acquires and abandons their connection attempts', async () => {
    proxy().set({ blackHole: true });
    const pool = await makePool(proxy(), { maxOpenConns: 2 }, { endTimeoutMs: 100 });
    const waiting = [rejection(pool.connect()), rejection(pool.connect())];
    await until('both are dialled', () => proxy().open === 2);
    await pool.end();
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(PoolEndedError);
    await until('the sockets are closed', () => proxy().open === 0);
    expect(pool.totalCount).toBe(0);
  });

  test('abandons a warm-up', async () => {
    proxy().set({ blackHole: true });
    const pool = await makePool(proxy(), { minConns: 2 });
    await until('both are dialled', () => proxy().open === 2);
    await pool.end();
    await until('the sockets are closed', () => proxy().open === 0);
    expect(pool.log.named('postgres connect failed')).toEqual([]);
  });

  test.each(['beforeConnect', 'afterConnect'])('abandons an attempt that hangs in %s', async (hook) => {
    let signal: AbortSignal | undefined;
    const hang = (_: unknown, context: { signal: AbortSignal }): Promise<void> => {
      signal = context.signal;
      return new Promise(() => undefined);
    };
    const pool = await makePool(proxy(), {}, { [hook]: hang });
    const waiting = rejection(pool.connect());
    await until('the hook runs', () => signal);
    await pool.end({ waiting: 'reject' });
    expect(await waiting).toBeInstanceOf(PoolEndedError);
    expect(signal?.aborted).toBe(true);
    await until('no socket is left', () => proxy().open === 0);
  });

  test('does not wait for a silent server', async () => {
    const pool = await makePool(proxy());
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    proxy().set({ blackHole: true });
    const allClosed = watchClosed(clients);
    const startedAt = performance.now();
    await pool.end();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(allClosed()).toBe(true);
  });

  test('stops filling the minimum', async () => {
    const pool = await makePool(proxy(), { minConns: 2 });
    await until('the pool is warm', () => pool.idleCount === 2);
    await pool.end();
    const { accepted } = proxy();
    await sleep(800);
    expect(proxy().accepted).toBe(accepted);
  });
});
