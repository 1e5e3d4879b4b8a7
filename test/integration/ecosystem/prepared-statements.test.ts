import { describeEveryClient } from './every-client.js';
import { expect, test } from 'vitest';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

const twice = (n: number) => ({ name: 'twice', text: 'select $1::int * 2 as n', values: [n] });

/** The statements that a connection has prepared under a name, and how often it ran them. */
async function prepared(client: { query(text: string): Promise<{ rows: unknown[] }> }): Promise<unknown[]> {
  const { rows } = await client.query(
    'select name, (generic_plans + custom_plans)::int as runs from pg_prepared_statements',
  );
  return rows;
}

describeEveryClient((options) => {
  test('a statement is prepared once on each connection that runs it, and reused after release', async () => {
    const pool = await makePool(server(), { maxOpenConns: 3 }, options);
    const clients = await Promise.all([1, 2, 3].map(() => pool.connect()));
    for (const client of clients) {
      expect((await client.query(twice(1))).rows).toEqual([{ n: 2 }]);
      client.release();
    }
    const again = await Promise.all([1, 2, 3].map(() => pool.connect()));
    expect(new Set(again)).toEqual(new Set(clients));
    for (const [at, client] of again.entries()) {
      expect((await client.query(twice(at))).rows).toEqual([{ n: at * 2 }]);
      expect(await prepared(client)).toEqual([{ name: 'twice', runs: 2 }]);
    }
    for (const client of again) client.release();
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a statement run by pool.query is prepared again on the connection that replaces a lost one', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    await pool.query(twice(1));
    const client = await pool.connect();
    const before = await backendPid(client);
    client.release(true);
    expect((await pool.query(twice(2))).rows).toEqual([{ n: 4 }]);
    expect(await backendPid(pool)).not.toBe(before);
    expect(await prepared(pool)).toEqual([{ name: 'twice', runs: 1 }]);
  });

  test('a statement that does not parse can be corrected under the same name, also by the next user', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const before = await backendPid(pool);
    expect((await rejection(pool.query({ name: 'twice', text: 'selec 1' }))).code).toBe('42601');
    expect((await pool.query(twice(3))).rows).toEqual([{ n: 6 }]);
    expect(await backendPid(pool)).toBe(before);
  });

  test('many named statements at once share the connections of the pool, each with its own values', async () => {
    const pool = await makePool(server(), { maxOpenConns: 3 }, options);
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, n) => pool.query<{ n: number }>(twice(n))),
    );
    expect(results.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 60 }, (_, n) => n * 2));
    expect(pool.log.closeReasons).toEqual([]);
  });
});
