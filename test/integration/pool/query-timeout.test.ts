import { join } from 'node:path';
import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCa, startGate } from '../../../local-rds/index.js';
import { newPool, QueryTimeoutError } from '../../../src/index.js';
import { RecordingLogger } from '../../support/logger.js';
import { backendPid, usePools } from '../../support/pools.js';
import { Proxy, useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { backendsRunning } from '../../support/sessions.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeEach(() => proxy().clear());

const running = (mark: string): Promise<number> => backendsRunning(server(), mark);

describe('a query with its own limit', () => {
  const slow = (mark: string, more: object): pg.QueryConfig => ({
    text: `select pg_sleep(60) /* ${mark} */`,
    ...more,
  });

  test.each([0, 60_000])(
    'is cancelled at its query_timeout, with queryTimeoutMs %i',
    async (queryTimeoutMs) => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs });
      const error = await rejection(pool.query(slow(`own ${queryTimeoutMs}`, { query_timeout: 300 })));
      expect(error).toBeInstanceOf(QueryTimeoutError);
      expect(error).toMatchObject({ message: 'Query read timeout', timeoutMs: 300 });
      await until('it is cancelled', async () => (await running(`own ${queryTimeoutMs}`)) === 0);
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(pool.log.closeReasons).toEqual([]);
    },
  );

  test.each(['query_timeout', 'timeoutMs', 'signal'])('treats %s null as unset', async (name) => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const config = (): pg.QueryConfig => ({ text: 'select 1 as one', [name]: null }) as pg.QueryConfig;
    expect((await pool.query(config())).rows).toEqual([{ one: 1 }]);
  });

  test('does not change its config, which may be used again', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 60_000 });
    const config = Object.freeze({ text: 'select 1 as one' });
    const client = await pool.connect();
    for (let run = 0; run < 3; run += 1) {
      expect((await client.query(config)).rows).toEqual([{ one: 1 }]);
    }
    client.release();
    expect((await pool.query(config)).rows).toEqual([{ one: 1 }]);
  });

  test("query_timeout 0 lifts the pool's limit and keeps values and name", async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 200 });
    const text = 'select $1::int as n, pg_sleep(0.5)';
    const config = Object.freeze({ name: 'patient', text, values: [7], query_timeout: 0 });
    for (let run = 0; run < 2; run += 1) {
      expect((await pool.query(config)).rows).toMatchObject([{ n: 7 }]);
    }
    const client = await pool.connect();
    const rows = await new Promise((resolve, reject) => {
      client.query({ text, query_timeout: 0 } as unknown as string, [8], (error, result) => {
        if (error as unknown) reject(error);
        else resolve(result.rows);
      });
    });
    client.release();
    expect(rows).toMatchObject([{ n: 8 }]);
  });

  test.each([
    ['signal', { aborted: false, addEventListener: () => undefined }],
    ['signal', true],
    ['abortSignal', new AbortController().signal],
    ['timeout', 100],
    ['timeoutMs', '100'],
    ['timeoutMs', -1],
    ['timeoutMs', 2 ** 31],
    ['timeoutMs', Number.POSITIVE_INFINITY],
    ['queryTimeoutMs', 100],
    ['statement_timeout', 100],
    ['query_timeout', '100'],
    ['query_timeout', -1],
    ['query_timeout', Number.NaN],
  ])('%s: %s is refused before anything is sent', async (name, value) => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const config = (): pg.QueryConfig => slow('never sent', { [name]: value });
    const error = await rejection(pool.query(config()));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(name);
    const inCallback = new Promise((resolve) => pool.query(config(), (told: Error) => resolve(told)));
    expect(await inCallback).toBeInstanceOf(TypeError);
    const client = await pool.connect();
    expect(await rejection(client.query(config()))).toBeInstanceOf(TypeError);
    client.release();
    expect(await running('never sent')).toBe(0);
    expect([pool.stat().newConnsCount, pool.log.closeReasons]).toEqual([1, []]);
  });
});

describe('a query that takes longer than queryTimeoutMs', () => {
  test('rejects, is cancelled on the server, and its connection is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 3_000 });
    const before = await backendPid(pool);
    const slow = rejection(pool.query('select pg_sleep(60) /* slow one */'));
    await until('the server runs it', () => running('slow one'));
    const error = await slow;
    // Programs compare the text, word for word.
    expect(error.message).toBe('Query read timeout');
    expect(error).toBeInstanceOf(QueryTimeoutError);
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_QUERY_TIMEOUT', timeoutMs: 3_000 });
    expect(error.stack).toContain('query-timeout.test.ts');
    await until('it is cancelled', async () => (await running('slow one')) === 0);
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('on a client used after its release closes the connection before it is handed out', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    const client = await pool.connect();
    client.release();
    const slow = rejection(client.query('select pg_sleep(60) /* after release */'));
    expect((await slow).message).toMatch(/^Query read timeout/);
    expect(pool.idleCount).toBe(0);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await until('it is cancelled', async () => (await running('after release')) === 0);
  });

  test('succeeds when a retry is faster', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    await rejection(pool.query('select pg_sleep(60)'));
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.stat()).toMatchObject({ totalConns: 1, idleConns: 1 });
  });

  test('on a client rejects in both forms, and the client may be released after it', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    const first = await pool.connect();
    expect((await rejection(first.query('select pg_sleep(60)'))).message).toContain('timeout');
    first.release();
    const second = await pool.connect();
    const error = await new Promise<Error>((resolve) => second.query('select pg_sleep(60)', resolve));
    expect(error.message).toContain('timeout');
    expect((await second.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    second.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('is cancelled through the address at which its connection was dialled', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    await pool.query('select 1');
    expect(proxy().accepted).toBe(1);
    await rejection(pool.query('select pg_sleep(60) /* through */'));
    await until('it is cancelled', async () => (await running('through')) === 0);
    expect(proxy().accepted).toBe(2);
  });

  test('keeps its connection until the cancel request has been sent, because a proxy may drop the query with it', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 3_000 });
    const client = await pool.connect();
    const slow = rejection(client.query('select pg_sleep(60) /* kept */'));
    await until('the server runs it', () => running('kept'));
    proxy().set({ blackHole: true });
    const error = await slow;
    client.release(error);
    await until('the cancel request is dialled', () => proxy().accepted === 2);
    expect(proxy().open).toBe(2);
    expect(pool.stat()).toMatchObject({ totalConns: 1, acquiredConns: 1, idleConns: 0 });
    // On a busy machine the connection may be closed before this query is called.
    expect((await rejection(client.query('select 1'))).message).toMatch(/timeout|Connection terminated/);
    await until('the pool has room again', () => pool.totalCount === 0);
    expect(pool.log.closeReasons).toEqual(['timeout']);
  });

  test('does not apply to a query that ends in time on a connection that lives longer', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 2_000 });
    const before = await backendPid(pool);
    for (let round = 0; round < 4; round += 1) await pool.query('select pg_sleep(0.6)');
    expect((await rejection(pool.query('select 1/0'))).code).toBe('22012');
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect(await backendPid(pool)).toBe(before);
  });

  test('does not apply to query objects, whose readers set the pace', async () => {
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

  test('supports values, names and row modes like any query', async () => {
    const pool = await makePool(server(), {}, { queryTimeoutMs: 10_000 });
    expect((await pool.query('select $1::int as n', [1])).rows).toEqual([{ n: 1 }]);
    const named = { name: 'named', text: 'select $1::int as n', values: [2] };
    expect((await pool.query(named)).rows).toEqual([{ n: 2 }]);
    expect((await pool.query({ text: 'select 3', rowMode: 'array' })).rows).toEqual([[3]]);
    expect((await rejection(pool.query(null as never))).message).toContain('null or undefined query');
  });
});

describe('the forms of a query under queryTimeoutMs', () => {
  type AnyQuery = (...args: unknown[]) => unknown;

  /** Longer than the timeout of these pools. */
  const outlastTimers = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_800));

  test('a query that the driver refuses leaves no timer that closes the connection of the next user', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    const before = await backendPid(pool);
    expect((await rejection(pool.query(null as never))).message).toContain('null or undefined query');
    const client = await pool.connect();
    await outlastTimers();
    expect(await backendPid(client)).toBe(before);
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a trailing undefined does not count as a callback: the promise settles, and no timer is left', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    const client = await pool.connect();
    const query = client.query.bind(client) as AnyQuery;
    expect(await query('select 1 as n', [], undefined)).toMatchObject({ rows: [{ n: 1 }] });
    expect(await query('select 2 as n', undefined, undefined)).toMatchObject({ rows: [{ n: 2 }] });
    expect(await query('select $1::int as n', [3], undefined)).toMatchObject({ rows: [{ n: 3 }] });
    expect(await rejection(query('select 1/0', [], undefined) as Promise<unknown>)).toMatchObject({
      code: '22012',
    });
    await outlastTimers();
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
    const slow = await pool.connect();
    const slowQuery = slow.query.bind(slow) as AnyQuery;
    const error = await rejection(slowQuery('select pg_sleep(60)', [], undefined) as Promise<unknown>);
    expect(error.message).toContain('timeout');
    slow.release();
  });

  test('a callback in the config is called, in time or with the timeout', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    const client = await pool.connect();
    const query = client.query.bind(client) as AnyQuery;
    const run = (text: string): Promise<unknown[]> =>
      new Promise((resolve) => {
        const callback = (...args: unknown[]): void => resolve(args);
        expect(query({ text, callback })).toBeUndefined();
      });
    expect(await run('select 1 as n')).toMatchObject([null, { rows: [{ n: 1 }] }]);
    await outlastTimers();
    expect(pool.log.closeReasons).toEqual([]);
    const [error] = await run('select pg_sleep(60)');
    expect((error as Error).message).toContain('timeout');
    client.release();
  });

  test('a callback that is not a function is refused as by the driver', async () => {
    const pools = [await makePool(server()), await makePool(server(), {}, { queryTimeoutMs: 1_500 })];
    const thrown: unknown[] = [];
    for (const pool of pools) {
      const client = await pool.connect();
      const before = await backendPid(client);
      const query = client.query.bind(client) as AnyQuery;
      for (const args of [['select 1', [], 'no function'], [{ text: 'select 1', callback: 'no function' }]]) {
        try {
          query(...args);
          thrown.push('nothing');
        } catch (error) {
          thrown.push((error as Error).message);
        }
      }
      await outlastTimers();
      expect(await backendPid(client)).toBe(before);
      client.release();
    }
    expect(thrown).toEqual(Array(4).fill('callback is not a function'));
  });
});

describe('a query timeout over TLS', () => {
  test('encrypts the cancel request too, and verifies the server by the host name of the first dial', async () => {
    const ca = await createCa();
    // Not valid for the address, which the cancel request dials.
    const { certPem: cert, keyPem: key } = await ca.issue({
      commonName: 'localhost',
      dnsNames: ['localhost'],
    });
    const { host, port, socketDir, user, password, database } = server();
    const gate = await startGate({
      backend: { socketPath: join(socketDir, `.s.PGSQL.${port}`), host, port },
      ...{ tls: { cert, key }, region: 'eu-central-1', iamUsers: [], credentials: () => undefined },
    });
    const before = new Proxy({ host: '127.0.0.1', port: gate.port });
    await before.listen();
    const pool = await newPool(
      { host: 'localhost', port: before.port, user, password, database, sslMode: 'verify-full' },
      { logger: new RecordingLogger(), ssl: { ca: ca.certPem }, queryTimeoutMs: 3_000 },
    );
    try {
      const slow = rejection(pool.query('select pg_sleep(60) /* encrypted */'));
      await until('the server runs it', () => running('encrypted'));
      expect((await slow).message).toContain('timeout');
      await until('it is cancelled', async () => (await running('encrypted')) === 0);
      expect(gate.stats().cancels).toBe(1);
      expect([before.accepted, before.plain]).toEqual([2, 0]);
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    } finally {
      await pool.end();
      await before.close();
      gate.close();
    }
  });
});
