import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { backendPid, usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { rejection, until } from '../support/until.js';
import { MODES, usePgbouncer } from './server.js';

const server = usePostgres();
// Only one, so that a server connection that is not returned is noticed.
const pgbouncer = usePgbouncer(server, { default_pool_size: 1 });
const makePool = usePools(() => pgbouncer().login);

/** Longer than a connection may be idle without being pinged before use. */
const STALE_MS = 1_100;

/** The states of the server's sessions that run a marked query or are in a transaction with one. */
async function activity(mark: string): Promise<string[]> {
  const { rows } = await server().query<{ state: string }>(
    "select state from pg_stat_activity where pid <> pg_backend_pid() and query like $1 and state <> 'idle'",
    [`%${mark}%`],
  );
  return rows.map(({ state }) => state);
}

describe.each(MODES)('in %s pooling', (database) => {
  test('a ping is answered, and takes a server connection no longer than a query does', async () => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 1 });
    await pool.query('select 1');
    await sleep(STALE_MS);
    const client = await pool.connect();
    expect(pool.log.closeReasons).toEqual([]);
    const kept = database === 'session' ? { sv_active: 1, sv_idle: 0 } : { sv_active: 0, sv_idle: 1 };
    expect(await pgbouncer().pool(database)).toMatchObject({ cl_active: 1, cl_waiting: 0, ...kept });
    client.release();
  });

  test('a failed query keeps its connection', async () => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 1 });
    for (let round = 0; round < 3; round += 1) {
      expect((await rejection(pool.query('select 1/0'))).code).toBe('22012');
    }
    expect((await pool.query('select $1::int as n', [7])).rows).toEqual([{ n: 7 }]);
    expect(pool.log.closeReasons).toEqual([]);
    expect(pool.stat().newConnsCount).toBe(1);
  });

  test('a query that takes longer than queryTimeoutMs is cancelled on the server', async () => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 1 }, { queryTimeoutMs: 700 });
    const slow = rejection(pool.query('select pg_sleep(60) /* slow one */'));
    await until('the server runs it', async () => (await activity('slow one')).length === 1);
    expect((await slow).message).toMatch(/^Query read timeout/);
    await until('it is cancelled', async () => (await activity('slow one')).length === 0, 3_000);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.log.closeReasons).toEqual([]);
  });
});

describe.each(['session', 'transaction'] as const)('in %s pooling', (database) => {
  test('a transaction keeps one server connection from beginning to end', async () => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 2 });
    const client = await pool.connect();
    await client.query('begin');
    const pid = await backendPid(client);
    expect(await pgbouncer().pool(database)).toMatchObject({ sv_active: 1 });
    expect(await backendPid(client)).toBe(pid);
    await client.query('commit');
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a client released in a transaction is destroyed, and its transaction with it', async () => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query('begin /* left open */');
    expect(await activity('left open')).toEqual(['idle in transaction']);
    client.release();
    expect(pool.log.closeReasons).toEqual(['tx_open']);
    await until('it has ended', async () => (await activity('left open')).length === 0);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('a connection in a failed transaction is closed, and kept after a ROLLBACK', async () => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query('begin');
    await rejection(client.query('select 1/0'));
    await client.query('rollback');
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
    const second = await pool.connect();
    await second.query('begin');
    await rejection(second.query('select 1/0'));
    second.release();
    await until('it is gone', () => pool.log.closeReasons.length === 1);
    expect(pool.log.closeReasons).toEqual(['tx_open']);
  });
});

describe('in statement pooling', () => {
  test('a transaction is refused, and its connection replaced', async () => {
    const pool = await makePool(pgbouncer(), { database: 'statement', maxOpenConns: 1 });
    const client = await pool.connect();
    const error = await rejection(client.query('begin'));
    expect(error).toMatchObject({
      code: '08P01',
      message: expect.stringContaining('transaction blocks') as string,
    });
    client.release(error);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.log.closeReasons).toEqual(['server_closed']);
  });
});

describe('when all server connections are in use', () => {
  test('a connection whose ping gets no answer is replaced, and its query waits its turn', async () => {
    const [pool, other] = [
      await makePool(pgbouncer(), { database: 'transaction', maxOpenConns: 1 }),
      await makePool(pgbouncer(), { database: 'transaction', maxOpenConns: 1 }),
    ];
    await pool.query('select 1');
    await sleep(STALE_MS);
    const holder = await other.connect();
    await holder.query('begin');
    const waiting = pool.query('select 1 as one');
    // The pool treats no answer within a second as a dead connection, but PgBouncer queues the ping like a query.
    await until('it is replaced', () => pool.log.closeReasons.length > 0);
    expect(pool.log.closeReasons).toEqual(['network']);
    await holder.query('commit');
    holder.release();
    expect((await waiting).rows).toEqual([{ one: 1 }]);
  });
});
