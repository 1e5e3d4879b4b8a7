import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newPool } from '../../../src/index.js';
import { RecordingLogger } from '../../support/logger.js';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { useLocalRds, usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const rds = useLocalRds();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeAll(() => rds().createUser('plain', { password: 'static' }));
beforeEach(() => proxy().clear());

/** How many backends of that server run a query with the mark. */
async function running(on: { query: ReturnType<typeof server>['query'] }, mark: string): Promise<number> {
  const { rows } = await on.query<{ n: number }>(
    "select count(*)::int as n from pg_stat_activity where pid <> pg_backend_pid() and state = 'active' and query like $1",
    [`%${mark}%`],
  );
  return rows[0]?.n ?? 0;
}

describe('a query that takes longer than queryTimeoutMs', () => {
  test('rejects, is cancelled on the server, and its connection is destroyed', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 300 });
    const before = await backendPid(pool);
    const slow = rejection(pool.query('select pg_sleep(60) /* slow one */'));
    await until('the server runs it', () => running(server(), 'slow one'));
    const error = await slow;
    expect(error.message).toMatch(/^Query read timeout/);
    expect(error.stack).toContain('query-timeout.test.ts');
    await until('it is cancelled', async () => (await running(server(), 'slow one')) === 0, 3_000);
    expect(await backendPid(pool)).not.toBe(before);
    expect(pool.log.closeReasons).toEqual(['timeout']);
    expect(pool.log.named('postgres connection lost')).toMatchObject([{ fields: { reason: 'timeout' } }]);
  });

  test('works when it is tried again and is quicker', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 300 });
    await rejection(pool.query('select pg_sleep(60)'));
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.stat()).toMatchObject({ totalConns: 1, idleConns: 1 });
  });

  test('on a client rejects in both forms, and the client may be released after it', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 200 });
    const first = await pool.connect();
    expect((await rejection(first.query('select pg_sleep(60)'))).message).toContain('timeout');
    first.release();
    const second = await pool.connect();
    const error = await new Promise<Error>((resolve) => second.query('select pg_sleep(60)', resolve));
    expect(error.message).toContain('timeout');
    expect((await rejection(second.query('select 1'))).message).toContain('timeout');
    second.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('is cancelled where it runs: through the address that its connection was dialled at', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 200 });
    await pool.query('select 1');
    expect(proxy().accepted).toBe(1);
    await rejection(pool.query('select pg_sleep(60) /* through */'));
    await until('it is cancelled', async () => (await running(server(), 'through')) === 0, 3_000);
    expect(proxy().accepted).toBe(2);
  });

  test('against a silent server rejects all the same, and who waits gets a new connection', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 300 });
    await pool.query('select 1');
    proxy().forgetOpen();
    const lost = rejection(pool.query('select 1'));
    const waiting = pool.query('select 2 as two');
    expect((await lost).message).toContain('timeout');
    expect((await waiting).rows).toEqual([{ two: 2 }]);
    await until('the dead socket is closed', () => proxy().open === 1, 1_500);
  });

  test('is none when it ends in time, though its connection lives on', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 150 });
    const before = await backendPid(pool);
    for (let round = 0; round < 4; round += 1) await pool.query('select pg_sleep(0.05)');
    expect((await rejection(pool.query('select 1/0'))).code).toBe('22012');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await backendPid(pool)).toBe(before);
  });

  test('is not for submittables, which take as long as their reader', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 100 });
    const client = await pool.connect();
    const query = client.query(new pg.Query('select pg_sleep(0.3), 7 as n'));
    const rows: unknown[] = [];
    query.on('row', (row) => rows.push(row));
    await new Promise((resolve, reject) => {
      query.on('end', resolve);
      query.on('error', reject);
    });
    expect(rows).toMatchObject([{ n: 7 }]);
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('takes values, names and row modes as any query does', async () => {
    const pool = await makePool(server(), {}, { queryTimeoutMs: 10_000 });
    expect((await pool.query('select $1::int as n', [1])).rows).toEqual([{ n: 1 }]);
    const named = { name: 'named', text: 'select $1::int as n', values: [2] };
    expect((await pool.query(named)).rows).toEqual([{ n: 2 }]);
    expect((await pool.query({ text: 'select 3', rowMode: 'array' })).rows).toEqual([[3]]);
    expect((await rejection(pool.query(null as never))).message).toContain('null or undefined query');
  });
});

describe('over TLS', () => {
  test('the cancel request is encrypted too, with the server verified by name', async () => {
    const { host, port, database, caPem } = rds();
    const pool = await newPool(
      { host, port, user: 'plain', password: 'static', database, sslMode: 'verify-full', maxOpenConns: 1 },
      { logger: new RecordingLogger(), ssl: { ca: caPem }, queryTimeoutMs: 300 },
    );
    try {
      const slow = rejection(pool.query('select pg_sleep(60) /* encrypted */'));
      await until('the server runs it', () => running(rds().postgres, 'encrypted'));
      expect((await slow).message).toContain('timeout');
      await until('it is cancelled', async () => (await running(rds().postgres, 'encrypted')) === 0, 3_000);
      expect(rds().gate.stats().cancels).toBe(1);
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    } finally {
      await pool.end();
    }
  });
});
