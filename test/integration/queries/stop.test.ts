import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { QueryTimeoutError } from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { backendsRunning } from '../../support/sessions.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeEach(() => proxy().clear());

const running = (mark: string): Promise<number> => backendsRunning(server(), mark);

const REASON = new Error('no longer wanted');

describe('a query whose signal is aborted', () => {
  test('rejects with the reason, is cancelled on the server, and its connection is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const before = await backendPid(pool);
    const controller = new AbortController();
    const slow = rejection(
      pool.query({ text: 'select pg_sleep(60) /* aborted */', signal: controller.signal }),
    );
    await until('the server runs it', () => running('aborted'));
    controller.abort(REASON);
    expect(await slow).toBe(REASON);
    await until('it is cancelled', async () => (await running('aborted')) === 0);
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('in the queue is removed from it: the query is not sent, and counts as a cancelled acquire', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const controller = new AbortController();
    const waiting = rejection(pool.query({ text: 'select 1', signal: controller.signal }));
    const late = rejection(pool.query({ text: 'select 1', timeoutMs: 100 }));
    expect(pool.waitingCount).toBe(2);
    controller.abort(REASON);
    expect(await waiting).toBe(REASON);
    expect(await late).toBeInstanceOf(QueryTimeoutError);
    expect(await late).toMatchObject({ timeoutMs: 100 });
    expect(pool.waitingCount).toBe(0);
    expect(pool.stat().canceledAcquireCount).toBe(2);
    client.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('before the call rejects at once, with a callback too', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const signal = AbortSignal.abort(REASON);
    expect(await rejection(pool.query({ text: 'select 1', signal }))).toBe(REASON);
    expect(await new Promise((resolve) => pool.query({ text: 'select 1', signal }, resolve))).toBe(REASON);
    expect(pool.totalCount).toBe(0);
    const client = await pool.connect();
    expect(await rejection(client.query({ text: 'select 1', signal }))).toBe(REASON);
    client.release();
    expect(pool.stat()).toMatchObject({ canceledAcquireCount: 2, idleConns: 1 });
  });

  test('with null as the reason still fails with an AbortError in its callback', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const told = new Promise((resolve) => pool.query({ text: 'select pg_sleep(60)', signal }, resolve));
    controller.abort(null);
    expect(await told).toMatchObject({ name: 'AbortError' });
  });

  test('after its answer has no effect', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const controller = new AbortController();
    await pool.query({ text: 'select 1', signal: controller.signal });
    const before = await backendPid(pool);
    const sleeping = pool.query('select pg_sleep(0.3), 7 as n');
    controller.abort(REASON);
    expect((await sleeping).rows).toMatchObject([{ n: 7 }]);
    expect(await backendPid(pool)).toBe(before);
  });

  test('behind another query of its client is not sent, and the other query continues', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const controller = new AbortController();
    const first = client.query('select pg_sleep(0.3), 1 as n');
    const second = rejection(
      client.query({ text: 'create table never_made (n int)', signal: controller.signal }),
    );
    controller.abort(REASON);
    expect(await second).toBe(REASON);
    expect((await first).rows).toMatchObject([{ n: 1 }]);
    expect((await client.query("select to_regclass('never_made') as made")).rows).toEqual([{ made: null }]);
    client.release();
  });
});

describe('after a stopped query', () => {
  test("in a transaction, the user's ROLLBACK works", async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query('begin');
    const before = await backendPid(client);
    const error = await rejection(client.query({ text: 'select pg_sleep(60)', timeoutMs: 200 }));
    expect(error).toBeInstanceOf(QueryTimeoutError);
    // Sent at once: a late cancel request must not hit it.
    expect((await rejection(client.query('select 1'))).code).toBe('25P02');
    await client.query('rollback');
    client.release();
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('in a transaction, a release without a ROLLBACK costs the connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query('begin');
    await rejection(client.query({ text: 'select pg_sleep(60)', timeoutMs: 200 }));
    client.release();
    await until('it is closed', () => pool.log.closeReasons.length === 1);
    expect(pool.log.closeReasons).toEqual(['tx_open']);
  });

  test('the next query on its client is not cancelled, in a hundred rounds', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 });
    const before = pool.stat().newConnsCount;
    for (let round = 0; round < 100; round += 1) {
      const client = await pool.connect();
      const controller = new AbortController();
      const slow = rejection(
        client
          .query({ text: `select pg_sleep(${(round % 5) / 200})`, signal: controller.signal })
          .then(() => {
            throw REASON;
          }),
      );
      setTimeout(() => controller.abort(REASON), round % 7);
      await slow;
      expect((await client.query('select pg_sleep(0.002), $1::int as n', [round])).rows).toMatchObject([
        { n: round },
      ]);
      client.release();
    }
    expect(pool.log.closeReasons).toEqual([]);
    expect(pool.stat().newConnsCount - before).toBeLessThanOrEqual(2);
  }, 60_000);

  test('the pool keeps the connection: twenty timeouts at once cause no new logins', async () => {
    const pool = await makePool(server(), { maxOpenConns: 5 }, { queryTimeoutMs: 500 });
    const waves = await Promise.allSettled(
      Array.from({ length: 20 }, () => pool.query('select pg_sleep(60)')),
    );
    expect(waves.every(({ status }) => status === 'rejected')).toBe(true);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.stat().newConnsCount).toBe(5);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('no deprecation warning of pg is emitted', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', note);
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await rejection(client.query({ text: 'select pg_sleep(60)', timeoutMs: 100 }));
    await client.query('select 1');
    client.release();
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  test('the next query goes to another connection when the server does not answer', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    const controller = new AbortController();
    const before = await backendPid(pool);
    const slow = rejection(pool.query({ text: 'select pg_sleep(60) /* hole */', signal: controller.signal }));
    await until('the server runs it', () => running('hole'));
    proxy().set({ blackHole: true });
    controller.abort(REASON);
    expect(await slow).toBe(REASON);
    expect(pool.stat()).toMatchObject({ acquiredConns: 1, idleConns: 0 });
    await until('the connection is given up', () => pool.totalCount === 0);
    proxy().clear();
    expect(pool.log.closeReasons).toEqual(['timeout']);
    expect(await backendPid(pool)).not.toBe(before);
  });
});

describe('a signal stops', () => {
  const ENDLESS = 'select n, pg_sleep(0.001) from generate_series(1, 1000000) as n';
  type Form = 'property' | 'argument' | 'config';

  test.each<Form>(['property', 'argument', 'config'])('a cursor with the signal as %s', async (form) => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const before = await backendPid(pool);
    for (const moment of ['reading', 'idle'] as const) {
      const client = await pool.connect();
      const controller = new AbortController();
      const { signal } = controller;
      const cursor = new Cursor(ENDLESS, [], (form === 'config' ? { signal } : {}) as object);
      if (form === 'property') Object.assign(cursor, { signal });
      if (form === 'argument') client.query(cursor, { signal });
      else client.query(cursor);
      expect(await cursor.read(2)).toHaveLength(2);
      const read = moment === 'reading' ? rejection(cursor.read(1_000_000)) : undefined;
      if (read !== undefined) await until('the server runs it', () => running('generate_series'));
      controller.abort(REASON);
      if (read !== undefined) expect(await read).toBe(REASON);
      // It must not report the end of the rows, which would be mistaken for a complete result.
      expect(await rejection(cursor.read(1))).toBe(REASON);
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      client.release();
    }
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a stream of rows on the pool', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const before = await backendPid(pool);
    const controller = new AbortController();
    const stream = pool.query(new QueryStream(ENDLESS), { signal: controller.signal });
    const rows: unknown[] = [];
    const failed = rejection(
      (async () => {
        for await (const row of stream) {
          rows.push(row);
          if (rows.length === 3) controller.abort(REASON);
        }
      })(),
    );
    expect(await failed).toBe(REASON);
    await until('it is cancelled', async () => (await running('generate_series')) === 0);
    expect(await backendPid(pool)).toBe(before);
  });

  test('a stream and a cursor in the queue, with its reason, before they are sent', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const controller = new AbortController();
    const { signal } = controller;
    const stream = pool.query(new QueryStream(ENDLESS), { signal });
    const cursor = pool.query(new Cursor(ENDLESS), { signal });
    const read = rejection(cursor.read(1));
    const failed = once(stream, 'error');
    controller.abort(REASON);
    expect(await failed).toEqual([REASON]);
    expect(await read).toBe(REASON);
    expect(pool.stat().canceledAcquireCount).toBe(2);
    client.release();
  });

  test('COPY in both directions', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    await pool.query('create table copied (n int)');
    const into = new AbortController();
    const sink = pool.query(copyFrom('copy copied from stdin'), { signal: into.signal });
    sink.write('1\n');
    await until('the server takes it', () => running('copy copied'));
    const failed = once(sink, 'error');
    into.abort(REASON);
    expect(await failed).toEqual([REASON]);
    expect((await pool.query('select * from copied')).rows).toEqual([]);

    const out = new AbortController();
    const source = pool.query(copyTo(`copy (${ENDLESS}) to stdout`), { signal: out.signal });
    const drain = new Writable({ write: (_chunk, _encoding, done) => done() });
    const piped = rejection(pipeline(source, drain));
    await until('the server runs it', () => running('generate_series'));
    out.abort(REASON);
    expect(await piped).toBe(REASON);
    await until('it is cancelled', async () => (await running('generate_series')) === 0);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('a query object of the driver', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const controller = new AbortController();
    const client = await pool.connect();
    const query = client.query(new pg.Query('select pg_sleep(60) /* object */'), {
      signal: controller.signal,
    });
    const failed = once(query, 'error');
    await until('the server runs it', () => running('object'));
    controller.abort(REASON);
    expect(await failed).toEqual([REASON]);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    client.release();
  });

  test('a cursor, to which time limits do not apply', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 100 });
    const client = await pool.connect();
    const cursor = client.query(new Cursor('select pg_sleep(0.3), 7 as n'));
    expect(await cursor.read(1)).toMatchObject([{ n: 7 }]);
    await cursor.close();
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
  });
});
