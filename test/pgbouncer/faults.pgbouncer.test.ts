import { describe, expect, test } from 'vitest';
import type { InstrumentedPool } from '../../src/index.js';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { rejection, until } from '../support/until.js';
import { usePgbouncer } from './server.js';

const server = usePostgres();
const pgbouncer = usePgbouncer(server);
const patient = usePgbouncer(server, { server_login_retry: 4 });
const impatient = usePgbouncer(server, { default_pool_size: 1, query_wait_timeout: 1 });
const tidy = usePgbouncer(server, { client_idle_timeout: 1 });
const frugal = usePgbouncer(server, { server_idle_timeout: 1 });
const makePool = usePools(() => pgbouncer().login);

/** Long enough for any recovery, in milliseconds: it only bounds the wait, and does not state how long one takes. */
const RECOVERED_MS = 15_000;

const works = (pool: InstrumentedPool): Promise<boolean> =>
  pool.query('select 1').then(
    () => true,
    () => false,
  );
const recovers = (pool: InstrumentedPool): Promise<unknown> =>
  until('the pool works', () => works(pool), RECOVERED_MS, 100);

/** A pool with two connections, one idle and one in a query. */
async function busyPool(database: string) {
  const pool = await makePool(pgbouncer(), { database, maxOpenConns: 2 });
  const clients = [await pool.connect(), await pool.connect()];
  for (const client of clients) {
    await client.query('select 1');
    client.release();
  }
  const running = rejection(pool.query('select pg_sleep(60) /* cut off */'));
  await until('the server runs it', async () => {
    const sql = `select 1 from pg_stat_activity where pid <> pg_backend_pid() and query like '%cut off%'`;
    return ((await server().query(sql)).rowCount ?? 0) > 0;
  });
  return { pool, running };
}

describe.each(['session', 'transaction'])('in %s pooling', (database) => {
  test('a restart of the server ends running queries, and the pool works again', async () => {
    const { pool, running } = await busyPool(database);
    await server().restart();
    expect((await running).code).toBe('57P01');
    await recovers(pool);
    expect(new Set(pool.log.closeReasons)).toEqual(new Set(['server_closed']));
  });

  test('a restart of PgBouncer ends running queries, and the pool works again', async () => {
    const { pool, running } = await busyPool(database);
    await pgbouncer().restart();
    expect((await running).message).toMatch(/server shutting down|Connection terminated unexpectedly/);
    await recovers(pool);
    expect(pool.log.closeReasons).toHaveLength(2);
    expect(pool.totalCount).toBeLessThanOrEqual(2);
  });

  test('a kill of PgBouncer has the same effect', async () => {
    const { pool, running } = await busyPool(database);
    await pgbouncer().kill();
    expect((await running).message).toMatch(/Connection terminated unexpectedly|ECONNRESET/);
    expect((await rejection(pool.query('select 1'))).code).toBe('ECONNREFUSED');
    await pgbouncer().start();
    await recovers(pool);
    await server().query(
      `select pg_cancel_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and query like '%cut off%'`,
    );
  });
});

describe('a server that is down', () => {
  test('makes queries wait in PgBouncer, and new connections reject with 08P01', async () => {
    const pool = await makePool(patient(), { database: 'transaction', maxOpenConns: 1 });
    await pool.query('select 1');
    await server().stop({ keepData: true });
    const waiting = pool.query('select 1 as one');
    const newcomer = await makePool(patient(), { database: 'transaction', maxOpenConns: 1 });
    const refused = await until('PgBouncer has seen that it is down', async () =>
      newcomer.query('select 1').then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(refused).toMatchObject({
      code: '08P01',
      message: expect.stringContaining('server_login_retry') as string,
    });
    await until('its connection is gone', () => newcomer.totalCount === 0);
    await server().start();
    expect((await waiting).rows).toEqual([{ one: 1 }]);
    // PgBouncer retries only every server_login_retry, and until then the server is effectively down.
    expect(await works(newcomer)).toBe(true);
  });
});

describe('a client connection that PgBouncer closes', () => {
  test('because it waited longer than query_wait_timeout rejects its query and is replaced', async () => {
    const pool = await makePool(impatient(), { database: 'transaction', maxOpenConns: 2 });
    const holder = await pool.connect();
    await holder.query('begin');
    const error = await rejection(pool.query('select 1'));
    expect(error).toMatchObject({ code: '08P01', message: 'query_wait_timeout' });
    await until('its connection is gone', () => pool.totalCount === 1);
    await holder.query('commit');
    holder.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.log.closeReasons).toEqual(['server_closed']);
  });

  test('because it was idle longer than client_idle_timeout is removed from the pool', async () => {
    const pool = await makePool(tidy(), { database: 'transaction', maxOpenConns: 2 });
    await pool.query('select 1');
    expect(pool.totalCount).toBe(1);
    await until('it is gone', () => pool.totalCount === 0);
    expect(pool.log.closeReasons).toEqual(['server_closed']);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('a server connection that PgBouncer closes', () => {
  test('because it was idle longer than server_idle_timeout does not affect the pool', async () => {
    const pool = await makePool(frugal(), { database: 'transaction', maxOpenConns: 1 });
    await pool.query('select 1');
    await until('it is gone', async () => (await frugal().pool('transaction'))['sv_idle'] === 0);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.log.closeReasons).toEqual([]);
    expect(pool.stat().newConnsCount).toBe(1);
  });
});

describe('PAUSE', () => {
  test('holds up queries until RESUME, and loses none', async () => {
    const pool = await makePool(pgbouncer(), { database: 'transaction', maxOpenConns: 1 });
    await pool.query('select 1');
    await pgbouncer().console('pause');
    let served = 0;
    const queries = Array.from({ length: 5 }, async () => {
      const { rows } = await pool.query<{ one: number }>('select 1 as one');
      served += 1;
      return rows;
    });
    await until('one waits there', async () => (await pgbouncer().pool('transaction'))['cl_waiting'] === 1);
    expect(served).toBe(0);
    await pgbouncer().console('resume');
    for (const rows of await Promise.all(queries)) expect(rows).toEqual([{ one: 1 }]);
  });
});
