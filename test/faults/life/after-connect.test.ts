import pg, { type PoolClient } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConnectTimeoutError } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);
/** The driver's type for type OIDs, which lists only the built-in types. */
type TypeId = Parameters<PoolClient['setTypeParser']>[0];
/** The parser of text[], whose OID is missing in the driver's types. */
const parseTextArray = pg.types.getTypeParser(1009 as never) as (text: string) => string[];

beforeEach(() => proxy().clear());

describe('afterConnect', () => {
  test('can set type parsers: an enum array is parsed on every pooled connection', async () => {
    await server().query("create type mood as enum ('sad', 'ok', 'happy')");
    const { rows } = await server().query<{ oid: TypeId }>("select '_mood'::regtype::oid::int as oid");
    const pool = await makePool(
      server(),
      { maxOpenConns: 4, minConns: 1 },
      {
        afterConnect: (client) => {
          for (const { oid } of rows) client.setTypeParser(oid, parseTextArray);
        },
      },
    );
    const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()));
    for (const client of clients) {
      const result = await client.query("select array['sad', 'happy']::mood[] as moods");
      expect(result.rows).toEqual([{ moods: ['sad', 'happy'] }]);
      client.release();
    }
    pool.reset();
    expect((await pool.query("select array['ok']::mood[] as moods")).rows).toEqual([{ moods: ['ok'] }]);
  });

  test('runs once on each connection, before its first use, and may run queries', async () => {
    const seen: PoolClient[] = [];
    const pool = await makePool(
      server(),
      { maxOpenConns: 2 },
      {
        afterConnect: async (client) => {
          seen.push(client);
          await client.query("set application_name = 'initialised'");
        },
      },
    );
    for (let round = 0; round < 3; round += 1) {
      const { rows } = await pool.query('show application_name');
      expect(rows).toEqual([{ application_name: 'initialised' }]);
    }
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    expect(new Set(seen)).toEqual(new Set(clients));
    expect(seen).toHaveLength(2);
    for (const client of clients) client.release();
  });

  test('runs before the connect event and before the acquire completes', async () => {
    const story: string[] = [];
    const pool = await makePool(
      server(),
      {},
      {
        afterConnect: async (client) => {
          await client.query('select 1');
          story.push('afterConnect');
        },
      },
    );
    pool.on('connect', () => story.push('connect'));
    pool.on('acquire', () => story.push('acquire'));
    await pool.query('select 1');
    expect(story).toEqual(['afterConnect', 'connect', 'acquire']);
  });

  test('that throws closes the connection and rejects the acquire with the same error', async () => {
    const mine = new Error('mine');
    const told: string[] = [];
    const pool = await makePool(
      proxy(),
      {},
      {
        afterConnect: () => {
          throw mine;
        },
      },
    );
    for (const event of ['connect', 'acquire', 'error'] as const) pool.on(event, () => told.push(event));
    expect(await rejection(pool.connect())).toBe(mine);
    expect(await rejection(pool.query('select 1'))).toBe(mine);
    expect(pool.totalCount).toBe(0);
    expect(told).toEqual([]);
    expect(pool.log.closeReasons).toEqual(['hook', 'hook']);
    await until('the sockets are closed', () => proxy().open === 0);
  });

  test('with a failing query rejects the acquire with the server’s error', async () => {
    const pool = await makePool(
      server(),
      {},
      {
        afterConnect: async (client) => {
          await client.query('select 1/0');
        },
      },
    );
    expect((await rejection(pool.connect())).code).toBe('22012');
    expect(pool.totalCount).toBe(0);
  });

  test('that hangs is abandoned at the connect deadline, and its signal aborts', async () => {
    let signal: AbortSignal | undefined;
    const pool = await makePool(
      proxy(),
      {},
      {
        connectTimeoutMs: 2_000,
        afterConnect: (_client, context) => {
          signal = context.signal;
          return new Promise(() => undefined);
        },
      },
    );
    const error = await rejection(pool.connect());
    expect(error).toBeInstanceOf(ConnectTimeoutError);
    expect(error.message).toContain('timeout');
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toBe(error);
    expect(pool.totalCount).toBe(0);
    await until('the socket is closed', () => proxy().open === 0);
  });

  test('that loses its connection rejects the acquire, and the next acquire dials again', async () => {
    let attempts = 0;
    const pool = await makePool(
      server(),
      {},
      {
        afterConnect: async (client) => {
          attempts += 1;
          if (attempts === 1) await client.query('select pg_terminate_backend(pg_backend_pid())');
        },
      },
    );
    expect((await rejection(pool.connect())).code).toBe('57P01');
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.totalCount).toBe(1);
  });

  test('may call release(), which has no effect there', async () => {
    const released: unknown[] = [];
    const pool = await makePool(
      server(),
      {},
      {
        afterConnect: (client) => {
          client.release();
          client.release(true);
        },
      },
    );
    pool.on('release', (...args: unknown[]) => released.push(args));
    const client = await pool.connect();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(released).toEqual([]);
    client.release();
    expect(released).toHaveLength(1);
    expect(pool.idleCount).toBe(1);
  });
});
