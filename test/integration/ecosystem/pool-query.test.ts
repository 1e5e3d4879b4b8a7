import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import Cursor from 'pg-cursor';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import QueryStream from 'pg-query-stream';
import type { Submittable } from 'pg';
import { describe, expect, test } from 'vitest';
import type { InstrumentedPool } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

const SERIES = 'select n from generate_series(1, 500) as n';

/** Expects that the connection is back in the pool, and is still the same one. */
async function cameBack(pool: InstrumentedPool): Promise<void> {
  await until('the connection is idle', () => pool.idleCount === 1);
  expect(pool.stat()).toMatchObject({ totalConns: 1, newConnsCount: 1 });
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
}

/** Holds the only connection until the returned function is called. */
async function occupy(pool: InstrumentedPool): Promise<() => void> {
  const client = await pool.connect({ timeoutMs: 0 });
  return () => client.release();
}

describe('a stream passed to pool.query', () => {
  test('is returned by the call, delivers every row, and releases its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const stream = new QueryStream(SERIES);
    expect(pool.query(stream)).toBe(stream);
    expect(await stream.toArray()).toHaveLength(500);
    await cameBack(pool);
  });

  test('releases its connection when it is destroyed half way', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    for await (const row of pool.query(new QueryStream(SERIES, [], { batchSize: 10 }))) {
      if ((row as { n: number }).n === 15) break;
    }
    await cameBack(pool);
  });

  test('fails with the error of its query, and releases its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    await pool.query('select 1');
    const error = await rejection(
      pool.query(new QueryStream('select 1/(n-3) from generate_series(1, 9) n')).toArray(),
    );
    expect(error.code).toBe('22012');
    await cameBack(pool);
  });

  test('fails with the error of its acquire', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { acquireTimeoutMs: 50 });
    const letGo = await occupy(pool);
    const error = await rejection(pool.query(new QueryStream(SERIES)).toArray());
    expect(error.code).toBe('ERR_PGAUGE_ACQUIRE_TIMEOUT');
    letGo();
    await cameBack(pool);
  });

  test('with a callback that is destroyed while it waits is never sent, and its callback gets an error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const letGo = await occupy(pool);
    const stream = new QueryStream("select 'never sent with a callback'");
    const told = new Promise((resolve) => pool.query(stream as unknown as string, resolve));
    stream.destroy();
    letGo();
    expect(await told).toBeInstanceOf(Error);
    await cameBack(pool);
    expect(server().log()).not.toContain('never sent with a callback');
  });

  test('that is destroyed while it waits is never sent', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const letGo = await occupy(pool);
    const stream = pool.query(new QueryStream("select 'never sent'"));
    stream.destroy();
    await once(stream, 'close');
    letGo();
    await cameBack(pool);
    expect(server().log()).not.toContain('never sent');
  });
});

describe('a cursor passed to pool.query', () => {
  test('is returned by the call, is read to its end, and releases its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const cursor = new Cursor(SERIES);
    expect(pool.query(cursor)).toBe(cursor);
    const first = await cursor.read(300);
    expect(pool.stat().acquiredConns).toBe(1);
    expect([first.length, (await cursor.read(300)).length]).toEqual([300, 200]);
    await cameBack(pool);
  });

  test('releases its connection when it is closed', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const cursor = pool.query(new Cursor(SERIES));
    await cursor.read(1);
    await cursor.close();
    await cameBack(pool);
  });

  test('that is closed while it waits is never sent', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const letGo = await occupy(pool);
    const cursor = pool.query(new Cursor("select 'closed before'"));
    await cursor.close();
    letGo();
    await cameBack(pool);
    expect(Object.hasOwn(cursor, 'close')).toBe(false);
    expect(server().log()).not.toContain('closed before');
  });

  test('fails its reader with the error of its acquire', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { acquireTimeoutMs: 50 });
    const letGo = await occupy(pool);
    const error = await rejection(pool.query(new Cursor(SERIES)).read(1));
    expect(error.code).toBe('ERR_PGAUGE_ACQUIRE_TIMEOUT');
    letGo();
    await cameBack(pool);
  });
});

describe('a COPY passed to pool.query', () => {
  test('copies in and out, and releases its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    await pool.query('create table copied_by_pool (id int)');
    await pipeline(Readable.from(['1\n', '2\n']), pool.query(copyFrom('copy copied_by_pool from stdin')));
    await cameBack(pool);
    expect(await text(pool.query(copyTo('copy copied_by_pool to stdout')))).toBe('1\n2\n');
    await cameBack(pool);
  });

  test('whose source fails copies nothing, and releases its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    await pool.query('create table never_copied (id int)');
    const source = Readable.from(
      (async function* () {
        yield '1\n';
        await until('the COPY runs', () => pool.stat().acquiredConns === 1);
        throw new Error('the source failed');
      })(),
    );
    await rejection(pipeline(source, pool.query(copyFrom('copy never_copied from stdin'))));
    await cameBack(pool);
    expect((await pool.query('select * from never_copied')).rows).toEqual([]);
  });

  test('whose source fails while it waits for a connection ends, and is never sent', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const letGo = await occupy(pool);
    const copy = pool.query(copyFrom('copy not_even_a_table from stdin'));
    const ended = rejection(finished(copy));
    copy.destroy(new Error('the source failed'));
    letGo();
    expect((await ended).message).toBe('the source failed');
    await cameBack(pool);
    expect(server().log()).not.toContain('not_even_a_table');
  });
});

describe('a custom query class passed to pool.query', () => {
  /** Sends one simple query and handles only protocol messages. */
  class Plain implements Submittable {
    rows = 0;
    ended = false;
    submit(connection: { query(text: string): void }): void {
      connection.query('select 1 union select 2');
    }
    handleRowDescription(): void {
      // The rows are only counted.
    }
    handleDataRow(): void {
      this.rows += 1;
    }
    handleCommandComplete(): void {
      // The query ends with ReadyForQuery.
    }
    handleReadyForQuery(): void {
      this.ended = true;
    }
  }

  test('releases its connection when the server is ready for the next query', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const query = pool.query(new Plain() as unknown as Submittable) as unknown as Plain;
    await until('it has ended', () => query.ended);
    expect(query.rows).toBe(2);
    await cameBack(pool);
  });

  test('that throws while it is sent costs only its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const failed: Error[] = [];
    const query = {
      submit: () => {
        throw new Error('cannot be sent');
      },
      handleError: (error: Error) => failed.push(error),
    };
    pool.query(query as unknown as Submittable);
    await until('it is told', () => failed.length > 0);
    expect(failed[0]?.message).toBe('cannot be sent');
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('has its callback called', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const outcome = await new Promise((resolve) => {
      pool.query(new Plain() as unknown as string, (error: Error | undefined) => resolve(error));
    });
    expect(outcome).toBeUndefined();
    await cameBack(pool);
  });
});
