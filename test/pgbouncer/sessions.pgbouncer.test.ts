import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { InstrumentedPool } from '../../src/index.js';
import { backendPid, usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { knowsNamedStatements, MODES, usePgbouncer } from './server.js';

const server = usePostgres();
const pgbouncer = usePgbouncer(server, {
  default_pool_size: 2,
  ...(knowsNamedStatements() && { max_prepared_statements: 10 }),
});
const makePool = usePools(() => pgbouncer().login);

const runNamed = (client: pg.PoolClient): Promise<unknown> =>
  client.query({ name: 'named', text: 'select $1::int as n', values: [1] });

/** Runs `run` while the server that `holder` holds in a transaction is the only free one. */
async function onServerOf(holder: pg.PoolClient, run: () => Promise<unknown>): Promise<void> {
  await holder.query('commit');
  await run();
  await holder.query('begin');
}

/** Sends a named statement to a server that lacks it and to one that has it; returns the codes of the errors. */
async function runNamedOnBothServers(pool: InstrumentedPool): Promise<unknown[]> {
  const clients = [
    await pool.connect(),
    await pool.connect(),
    await pool.connect(),
    await pool.connect(),
  ] as const;
  const [first, second, one, two] = clients;
  await first.query('begin');
  await second.query('begin');
  const failures: unknown[] = [];
  const named = (client: pg.PoolClient) => () =>
    runNamed(client).catch((error: unknown) => failures.push((error as { code?: unknown }).code));
  await onServerOf(first, named(one));
  // The driver assumes that this server has the statement too.
  await onServerOf(second, named(one));
  // The driver sends the statement to a server that already has it.
  await onServerOf(first, named(two));
  for (const holder of [first, second]) await holder.query('commit');
  for (const client of clients) client.release();
  return failures;
}

describe('named statements', () => {
  test('work in session pooling', async () => {
    const pool = await makePool(pgbouncer(), { database: 'session' });
    const clients = [await pool.connect(), await pool.connect()];
    for (const client of [...clients, ...clients]) {
      expect(await runNamed(client)).toMatchObject({ rows: [{ n: 1 }] });
    }
    for (const client of clients) client.release();
  });

  test('in transaction pooling work since PgBouncer 1.21; before, they fail with 26000 or 42P05', async () => {
    const pool = await makePool(pgbouncer(), { database: 'transaction' });
    const errors = knowsNamedStatements() ? [] : ['26000', '42P05'];
    expect(await runNamedOnBothServers(pool)).toEqual(errors);
    // The server's statements differ from those the driver assumes, so neither connection is kept.
    expect(pool.log.closeReasons).toEqual(errors.map(() => 'released_with_error'));
  });

  test.each(MODES)('are not needed: unnamed ones with values work in %s pooling', async (database) => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 2 });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => pool.query<{ n: number }>('select $1::int as n', [n])),
    );
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });
});

describe('a session setting from afterConnect', () => {
  const ASK = `select current_setting('statement_timeout') as timeout, current_setting('TimeZone') as zone`;
  const set = (settings: string) => ({
    afterConnect: async (client: { query(text: string): Promise<unknown> }) => {
      await client.query(settings);
    },
  });

  test('stays with its connection in session pooling', async () => {
    const mine = await makePool(pgbouncer(), { database: 'session' }, set("set statement_timeout = '7s'"));
    expect((await mine.query(ASK)).rows).toMatchObject([{ timeout: '7s' }]);
    await mine.end();
    const others = await makePool(pgbouncer(), { database: 'session' });
    expect((await others.query(ASK)).rows).toMatchObject([{ timeout: '0' }]);
  });

  test('in transaction pooling applies to any pool that gets that server connection', async () => {
    const mine = await makePool(
      pgbouncer(),
      { database: 'transaction', maxOpenConns: 1 },
      set("set statement_timeout = '7s'"),
    );
    const pid = await backendPid(mine);
    const others = await makePool(pgbouncer(), { database: 'transaction', maxOpenConns: 1 });
    const [held, other] = [await mine.connect(), await others.connect()];
    await other.query('begin');
    expect(await backendPid(other)).toBe(pid);
    expect((await other.query(ASK)).rows).toMatchObject([{ timeout: '7s' }]);
    // Its own pool is now on another server connection, which does not have the setting.
    expect((await held.query(ASK)).rows).toMatchObject([{ timeout: '0' }]);
    await other.query('commit');
    await server().query('select pg_terminate_backend($1)', [pid]);
    for (const client of [held, other]) client.release();
  });

  test('follows its client in any mode if PgBouncer tracks the setting', async () => {
    const options = set("set time zone 'Asia/Tokyo'; set datestyle = 'German'");
    const mine = await makePool(pgbouncer(), { database: 'transaction', maxOpenConns: 1 }, options);
    const others = await makePool(pgbouncer(), { database: 'transaction', maxOpenConns: 1 });
    const all = `select current_setting('TimeZone') as zone, current_setting('DateStyle') as style`;
    const own = { zone: 'Asia/Tokyo', style: 'German, DMY' };
    const plain = { zone: 'UTC', style: 'ISO, MDY' };
    for (let round = 0; round < 3; round += 1) {
      expect((await mine.query(all)).rows).toEqual([own]);
      expect((await others.query(all)).rows).toEqual([plain]);
    }
  });

  test('does not include type parsers, which belong to the client on any server connection', async () => {
    const pool = await makePool(
      pgbouncer(),
      { database: 'transaction' },
      { afterConnect: (client) => client.setTypeParser(pg.types.builtins.INT8, Number) },
    );
    expect((await pool.query('select 7::int8 as n')).rows).toEqual([{ n: 7 }]);
  });
});

describe('SET LOCAL', () => {
  test('ends with its transaction, in transaction pooling too', async () => {
    const pool = await makePool(pgbouncer(), { database: 'transaction', maxOpenConns: 1 });
    const client = await pool.connect();
    const show = async () => (await client.query<{ lock_timeout: string }>('show lock_timeout')).rows;
    await client.query("begin; set local lock_timeout = '3s'");
    expect(await show()).toEqual([{ lock_timeout: '3s' }]);
    await client.query('commit');
    expect(await show()).toEqual([{ lock_timeout: '0' }]);
    client.release();
  });
});

describe('LISTEN', () => {
  /** Listens, has a notification sent, and returns the notifications received once another query is answered. */
  async function listen(database: string): Promise<unknown[]> {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 1 });
    const client = await pool.connect();
    const heard: unknown[] = [];
    client.on('notification', ({ payload }) => heard.push(payload));
    await client.query('listen news');
    await server().query(`notify news, 'from ${database}'`);
    await sleep(500);
    await client.query('select 1');
    client.release();
    return heard;
  }

  test('receives notifications in session pooling', async () => {
    expect(await listen('session')).toEqual(['from session']);
  });

  test('receives no notifications in transaction pooling, because the server connection is the one that listens', async () => {
    expect(await listen('transaction')).toEqual([]);
    const { rows } = await (
      await makePool(pgbouncer(), { database: 'transaction' })
    ).query('select pg_listening_channels() as channel');
    expect(rows).toEqual([{ channel: 'news' }]);
  });
});
