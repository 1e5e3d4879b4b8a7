import pg from 'pg';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { InstrumentedPool } from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

describe('the pool is a pg.Pool', () => {
  test('passes instanceof and has Pool in its class name', async () => {
    const pool = await makePool(server());
    expect(pool).toBeInstanceOf(pg.Pool);
    expect(pool).toBeInstanceOf(InstrumentedPool);
    // Tools compare it with the class name of pg's export.
    expect(pool.constructor.name).toBe(pg.Pool.name);
    expect(pool.constructor.name).toBe('BoundPool');
    expectTypeOf(pool.totalCount).toBeNumber();
  });

  test('is accepted where a pg.Pool is expected', async () => {
    const two = async (pool: pg.Pool): Promise<unknown> =>
      (await pool.query<{ two: number }>('select 2 as two')).rows[0]?.two;
    // At run time it is an instance, as the test above shows; its types only have the same shape.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    expect(await two(await makePool(server()))).toBe(2);
  });
});

describe('query() with a promise', () => {
  test('accepts a text alone', async () => {
    const pool = await makePool(server());
    const result = await pool.query('select 1 as one');
    expect(result.rows).toEqual([{ one: 1 }]);
    expect(result.rowCount).toBe(1);
    expect(result.fields[0]?.name).toBe('one');
  });

  test('accepts a text and values', async () => {
    const pool = await makePool(server());
    expect((await pool.query('select $1::int + $2::int as sum', [2, 3])).rows).toEqual([{ sum: 5 }]);
  });

  test('accepts a config object, with values in it or as an argument', async () => {
    const pool = await makePool(server());
    expect((await pool.query({ text: 'select $1::text as t', values: ['in'] })).rows).toEqual([{ t: 'in' }]);
    expect((await pool.query({ text: 'select $1::text as t' }, ['by'])).rows).toEqual([{ t: 'by' }]);
  });

  test('returns arrays with rowMode array', async () => {
    const pool = await makePool(server());
    const result = await pool.query<[number, number]>({ text: 'select 1 as a, 2 as a', rowMode: 'array' });
    expect(result.rows).toEqual([[1, 2]]);
  });

  test('prepares a named statement once per connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    for (const value of ['a', 'b']) {
      const result = await pool.query({ name: 'echo', text: 'select $1::text as t', values: [value] });
      expect(result.rows).toEqual([{ t: value }]);
    }
    const prepared = await pool.query("select name from pg_prepared_statements where name = 'echo'");
    expect(prepared.rows).toHaveLength(1);
  });

  test('returns one result per statement of a text', async () => {
    const pool = await makePool(server());
    const results = (await pool.query('select 1 as a; select 2 as b')) as unknown as pg.QueryResult[];
    expect(results.map(({ rows }) => rows as unknown)).toEqual([[{ a: 1 }], [{ b: 2 }]]);
  });

  test('rejects with the server error and keeps the connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const before = await backendPid(pool);
    const error = await rejection(pool.query('select 1/0'));
    expect(error).toBeInstanceOf(pg.DatabaseError);
    expect(error.code).toBe('22012');
    expect(await backendPid(pool)).toBe(before);
  });

  test('rejects a missing query, and the pool still works', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const error = await rejection(pool.query(undefined as unknown as string));
    expect(error.message).toBe('Client was passed a null or undefined query');
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('query() with a callback', () => {
  test('accepts a text, a text with values, and a config object', async () => {
    const pool = await makePool(server());
    const rows: unknown[] = [];
    const keep = (_error: unknown, result: pg.QueryResult<{ n: number }>): unknown =>
      rows.push(...result.rows);
    pool.query('select 1 as n', keep);
    await until('the first answer', () => rows.length === 1);
    pool.query('select $1::int as n', [2], keep);
    await until('the second answer', () => rows.length === 2);
    pool.query({ text: 'select $1::int as n', values: [3] }, keep);
    await until('the third answer', () => rows.length === 3);
    expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('passes the error to the callback and returns undefined', async () => {
    const pool = await makePool(server());
    let returned: unknown = 'unset';
    const error = await new Promise<Error>((resolve) => {
      const query = pool.query.bind(pool) as (text: string, callback: (error: Error) => void) => unknown;
      returned = query('select 1/0', resolve);
    });
    expect(error).toMatchObject({ code: '22012' });
    expect(returned).toBeUndefined();
  });

  test('refuses a function as the first argument', async () => {
    const pool = await makePool(server());
    const error = await new Promise<Error>((resolve) => {
      (pool.query as unknown as (callback: (error: Error) => void) => void)(resolve);
    });
    expect(error.message).toBe('Passing a function as the first parameter to pool.query is not supported');
  });
});

describe('connect()', () => {
  test('resolves with a client that runs queries and can be released', async () => {
    const pool = await makePool(server());
    const client = await pool.connect();
    expect(client).toBeInstanceOf(pg.Client);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 0, 0]);
    client.release();
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0]);
  });

  test('passes no error, the client and its release function to the callback', async () => {
    const pool = await makePool(server());
    await new Promise<void>((resolve, reject) => {
      pool.connect((error, client, done) => {
        expect(error).toBeUndefined();
        client
          ?.query('select 1')
          .then(() => {
            done();
            resolve();
          })
          .catch(reject);
      });
    });
    expect(pool.idleCount).toBe(1);
  });

  test('passes the error of a failed attempt and a harmless release function to the callback', async () => {
    const pool = await makePool(server(), { password: 'wrong' });
    const given = await new Promise<[unknown, unknown, () => void]>((resolve) => {
      pool.connect((error, client, done) => resolve([error, client, done]));
    });
    expect(given[0]).toMatchObject({ code: '28P01' });
    expect(given[1]).toBeUndefined();
    given[2]();
    expect(pool.totalCount).toBe(0);
  });

  test('counts waiting acquires in waitingCount', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const waiting = [pool.connect(), pool.connect()];
    expect(pool.waitingCount).toBe(2);
    client.release();
    const second = await waiting[0];
    expect(pool.waitingCount).toBe(1);
    second?.release();
    (await waiting[1])?.release();
    expect(pool.waitingCount).toBe(0);
  });

  test('hands out the same object for the same connection, also in events', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const seen: unknown[] = [];
    for (const event of ['connect', 'acquire'] as const) pool.on(event, (client) => seen.push(client));
    pool.on('release', (_error: Error, client: unknown) => seen.push(client));
    pool.on('remove', (client) => seen.push(client));
    const first = await pool.connect();
    first.release();
    const second = await pool.connect();
    second.release(true);
    await until('the connection is removed', () => seen.length === 6);
    expect(second).toBe(first);
    expect(new Set(seen)).toEqual(new Set([first]));
  });
});

describe('release()', () => {
  test('with an error destroys the connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    client.release(new Error('mine'));
    expect(pool.totalCount).toBe(0);
    expect(await backendPid(pool)).not.toBe(before);
    expect(pool.log.closeReasons).toEqual(['released_with_error']);
  });

  test('a second time throws the message of node-postgres', async () => {
    const pool = await makePool(server());
    const client = await pool.connect();
    client.release();
    expect(() => client.release()).toThrow(
      'Release called on client which has already been released to the pool.',
    );
  });

  test('of an earlier checkout throws and does not affect the later holder', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const first = await pool.connect();
    const stale = first.release;
    let staleDone: ((error?: unknown) => void) | undefined;
    first.release();
    await new Promise<void>((resolve) => {
      pool.connect((_error, _client, done) => {
        staleDone = done;
        done();
        resolve();
      });
    });
    const second = await pool.connect();
    expect(() => stale()).toThrow('already been released');
    expect(() => stale(true)).toThrow('already been released');
    expect(() => staleDone?.()).toThrow('already been released');
    expect(pool.stat()).toMatchObject({ acquiredConns: 1, idleConns: 0, totalConns: 1 });
    expect((await second.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    // `first.release`, looked up again, is that of the current checkout, because it is the same object.
    first.release();
    expect(pool.stat()).toMatchObject({ acquiredConns: 0, idleConns: 1 });
  });
});
