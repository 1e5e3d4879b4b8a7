import type { PoolClient } from 'pg';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until, rejection } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { useWatchedPools } from '../support/watched-pools.js';

const server = useFaultServer();
const makePool = useWatchedPools(server);

beforeAll(() => server().query('create table deeds (id int)'));
beforeEach(() => server().query('truncate deeds'));

function pidOf(client: PoolClient): number {
  return (client as unknown as { processID: number }).processID;
}

async function kill(client: PoolClient): Promise<void> {
  await server().query('select pg_terminate_backend($1)', [pidOf(client)]);
}

/** Kills the client's session as soon as its query runs. */
async function killInQuery(client: PoolClient): Promise<void> {
  await until('it is killed in its query', async () => {
    const { rowCount } = await server().query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and state = 'active'",
      [pidOf(client)],
    );
    return rowCount;
  });
}

describe('a checked-out client that is killed', () => {
  test('between queries rejects the next query with the server’s error, and may be released later', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await kill(client);
    await until('the loss is noticed', () => pool.totalCount === 0);
    // Its slot is free before the client is released.
    await pool.query(unique('select 1'));
    const error = await rejection(client.query(unique('select 1')));
    expect(error.code).toBe('57P01');
    const inCallback = await new Promise<Error>((resolve) => client.query(unique('select 1'), resolve));
    expect(inCallback).toBe(error);
    client.release();
    expect(() => client.release()).toThrow('already been released');
    expect(pool.stat()).toMatchObject({ totalConns: 1, idleConns: 1, acquiredConns: 0 });
    await pool.keepsTheRules({ server_closed: 1 });
  });

  test('in the middle of a query rejects the query once with the server’s error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    let rejections = 0;
    const running = client.query(unique('insert into deeds select 1 from pg_sleep(20)'));
    running.catch(() => (rejections += 1));
    await killInQuery(client);
    expect((await rejection(running)).code).toBe('57P01');
    client.release();
    await pool.keepsTheRules({ server_closed: 1 });
    expect(rejections).toBe(1);
    expect((await server().query('select * from deeds')).rows).toEqual([]);
  });

  test('in the middle of a query calls the query callback once', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const calls: unknown[] = [];
    client.query(unique('select pg_sleep(20)'), (error: Error & { code?: string }) => calls.push(error.code));
    await killInQuery(client);
    await until('it is called', () => calls.length > 0);
    client.release();
    await pool.keepsTheRules({ server_closed: 1 });
    expect(calls).toEqual(['57P01']);
  });

  test('in the middle of pool.query rejects the query with the server’s error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    client.release();
    const running = rejection(pool.query(unique('insert into deeds select 1 from pg_sleep(20)')));
    await killInQuery(client);
    expect((await running).code).toBe('57P01');
    await pool.keepsTheRules({ server_closed: 1 });
    expect((await server().query('select * from deeds')).rows).toEqual([]);
  });

  test('in the middle of a transaction rejects COMMIT and replays nothing', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query(unique('begin'));
    await client.query(unique('insert into deeds values (1)'));
    await kill(client);
    expect((await rejection(client.query(unique('commit')))).code).toBe('57P01');
    client.release(new Error('mine'));
    await pool.keepsTheRules({ server_closed: 1 });
    expect((await server().query('select * from deeds')).rows).toEqual([]);
  });

  test('and released with the query error is logged and counted as closed by the server', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const returned = new Promise<void>((resolve) => {
      // Release at once, before the socket is seen to close.
      client.query(unique('select pg_sleep(20)'), (error: Error) => {
        client.release(error);
        resolve();
      });
    });
    await killInQuery(client);
    await returned;
    expect(pool.log.closeReasons).toEqual(['server_closed']);
    expect(pool.log.named('postgres connection lost')).toMatchObject([{ fields: { error_type: '57P01' } }]);
    await pool.keepsTheRules({ server_closed: 1 });
  });

  test('may be released late without affecting the next checkout', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const first = await pool.connect();
    await kill(first);
    await until('the loss is noticed', () => pool.totalCount === 0);
    const second = await pool.connect();
    first.release();
    expect(pool.stat()).toMatchObject({ totalConns: 1, acquiredConns: 1 });
    expect((await second.query(unique('select 1 as one'))).rows).toEqual([{ one: 1 }]);
    second.release();
    await pool.keepsTheRules({ server_closed: 1 });
  });

  test('frees its slot for a waiting acquire before it is released', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const waiting = pool.connect();
    await kill(client);
    (await waiting).release();
    client.release();
    await pool.keepsTheRules({ server_closed: 1 });
  });

  test('and never released does not prevent end() from resolving', async () => {
    const pool = await makePool(server());
    const client = await pool.connect();
    await kill(client);
    await until('the loss is noticed', () => pool.totalCount === 0);
    await pool.keepsTheRules({ server_closed: 1 });
    expect(pool.ended).toBe(true);
    client.release();
  });
});

describe('a client whose user calls end() on it', () => {
  test('frees its slot, and may still be released', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = (await pool.connect()) as PoolClient & { end(): Promise<void> };
    await client.end();
    await until('the slot is free', () => pool.totalCount === 0);
    client.release();
    await pool.keepsTheRules({ released_with_error: 1 });
  });
});

describe('the error event', () => {
  test('is emitted once for each lost idle connection, and not for a checked-out client', async () => {
    const pool = await makePool(server());
    const told: unknown[] = [];
    pool.on('error', (_error: Error, client: PoolClient) => told.push(client));
    const [used, idle] = await Promise.all([pool.connect(), pool.connect()]);
    idle.release();
    await kill(used);
    await kill(idle);
    await until('both are lost', () => pool.totalCount === 0);
    expect(told).toEqual([idle]);
    used.release();
    await pool.keepsTheRules({ server_closed: 2 });
  });
});

describe('a plain SQL error', () => {
  test.each([
    ['in pool.query', 'select 1/0', '22012'],
    ['that does not parse', 'selec 1', '42601'],
    ['for a missing table', 'select * from nowhere', '42P01'],
    ['raised in PL/pgSQL', "do $$ begin raise exception 'mine' using errcode = 'P0001'; end $$", 'P0001'],
  ])('%s keeps the connection', async (_what, text, code) => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const before = await pool.query(unique('select pg_backend_pid() as pid'));
    expect((await rejection(pool.query(unique(text)))).code).toBe(code);
    const after = await pool.query(unique('select pg_backend_pid() as pid'));
    expect(after.rows).toEqual(before.rows);
    await pool.keepsTheRules({});
  });

  test('in a transaction that is then rolled back keeps the connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = pidOf(client);
    await client.query(unique('begin'));
    expect((await rejection(client.query(unique('select 1/0')))).code).toBe('22012');
    expect((await rejection(client.query(unique('select 1')))).code).toBe('25P02');
    await client.query(unique('rollback'));
    client.release();
    const next = await pool.connect();
    expect(pidOf(next)).toBe(before);
    next.release();
    await pool.keepsTheRules({});
  });
});
