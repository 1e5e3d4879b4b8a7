import { describeEveryClient } from './every-client.js';
import Cursor from 'pg-cursor';
import { expect, test } from 'vitest';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

const TEN = 'select n from generate_series(1, 10) n';

describeEveryClient((options) => {
  test('a cursor read in batches to its end leaves its connection to the next user', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    const cursor = client.query(new Cursor<{ n: number }>(TEN));
    const batches: number[][] = [];
    for (;;) {
      const rows = await cursor.read(4);
      batches.push(rows.map(({ n }) => n));
      if (rows.length === 0) break;
    }
    client.release();
    expect(batches).toEqual([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10], []]);
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a cursor closed early leaves its connection to the next user', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    const cursor = client.query(new Cursor<{ n: number }>(`${TEN} where n > $1`, [3]));
    expect(await cursor.read(2)).toEqual([{ n: 4 }, { n: 5 }]);
    await cursor.close();
    client.release();
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a cursor whose query fails between batches rejects the read, and its connection is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    const cursor = client.query(new Cursor('select 1 / (5 - n) from generate_series(1, 10) n'));
    expect(await cursor.read(2)).toHaveLength(2);
    expect((await rejection(cursor.read(4))).code).toBe('22012');
    // Release before ReadyForQuery, as is common.
    client.release();
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a cursor left open costs its connection, and the next user gets another', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    expect(await client.query(new Cursor(TEN)).read(2)).toHaveLength(2);
    client.release();
    expect(pool.log.closeReasons).toEqual(['busy']);
    expect(await backendPid(pool)).not.toBe(before);
  });

  test('a cursor closed in a transaction left open costs its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    await client.query('begin');
    const cursor = client.query(new Cursor(TEN));
    expect(await cursor.read(2)).toHaveLength(2);
    await cursor.close();
    client.release();
    expect(pool.log.closeReasons).toEqual(['tx_open']);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('a cursor whose session is ended between batches rejects the next read', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    const cursor = client.query(new Cursor(TEN));
    expect(await cursor.read(2)).toHaveLength(2);
    await server().query('select pg_terminate_backend($1)', [before]);
    expect((await rejection(cursor.read(2))).code).toBe('57P01');
    client.release();
    expect(await backendPid(pool)).not.toBe(before);
    expect(pool.log.closeReasons).toEqual(['server_closed']);
  });
});
