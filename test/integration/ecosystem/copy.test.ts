import { describeEveryClient } from './every-client.js';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import copy from 'pg-copy-streams';
import { beforeEach, describe, expect, test } from 'vitest';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

const INTO = 'copy copied from stdin';
/** More than fits into a socket's buffer. */
const LINES = 50_000;

beforeEach(async () => {
  proxy().clear();
  await server().query('drop table if exists copied; create table copied (n int)');
});

async function copied(): Promise<number | undefined> {
  const { rows } = await server().query<{ n: number }>('select count(*)::int as n from copied');
  return rows[0]?.n;
}

function* lines(last: number): Generator<string> {
  for (let n = 1; n <= last; n += 1) yield `${n}\n`;
}

/** Runs a COPY … TO STDOUT and counts its lines. */
async function copyOut(client: PoolClient, query: string): Promise<number> {
  let found = 0;
  const counter = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const byte of chunk) if (byte === 10) found += 1;
      done();
    },
  });
  await pipeline(client.query(copy.to(`copy (${query}) to stdout`)), counter);
  return found;
}

describeEveryClient((options) => {
  describe('COPY FROM', () => {
    test('that ends leaves its connection to the next user', async () => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, options);
      const client = await pool.connect();
      const before = await backendPid(client);
      const into = client.query(copy.from(INTO));
      await pipeline(Readable.from(lines(LINES)), into);
      client.release();
      expect([into.rowCount, await copied()]).toEqual([LINES, LINES]);
      expect(await backendPid(pool)).toBe(before);
      expect(pool.log.closeReasons).toEqual([]);
    });

    test('whose source fails in the middle writes nothing, and its connection is kept once it has closed', async () => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, options);
      const client = await pool.connect();
      const before = await backendPid(client);
      const failing = function* (): Generator<string> {
        yield* lines(LINES / 2);
        throw new Error('the source is broken');
      };
      const into = client.query(copy.from(INTO));
      // A pipeline does not wait until the server has been notified.
      const closed = new Promise((resolve) => into.once('close', resolve));
      const copying = pipeline(Readable.from(failing()), into);
      expect((await rejection(copying)).message).toContain('the source is broken');
      await closed;
      client.release();
      expect(await backendPid(pool)).toBe(before);
      expect(await copied()).toBe(0);
      expect(pool.log.closeReasons).toEqual([]);
    });

    test('whose line the server refuses rejects with its error, and its connection is kept', async () => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, options);
      const client = await pool.connect();
      const before = await backendPid(client);
      const wrong = [...lines(LINES / 2), 'not a number\n', ...lines(LINES / 2)];
      const copying = pipeline(Readable.from(wrong), client.query(copy.from(INTO)));
      expect((await rejection(copying)).code).toBe('22P02');
      client.release();
      expect(await backendPid(pool)).toBe(before);
      expect(await copied()).toBe(0);
      expect(pool.log.closeReasons).toEqual([]);
    });

    test('that was started but not ended costs its connection, and writes nothing', async () => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, options);
      const client = await pool.connect();
      const before = await backendPid(client);
      const into = client.query(copy.from(INTO));
      await new Promise((resolve) => into.write('1\n', resolve));
      const failed = once(into, 'error');
      client.release();
      expect(pool.log.closeReasons).toEqual(['busy']);
      expect(await failed).toMatchObject([{ message: 'Connection terminated' }]);
      expect(await backendPid(pool)).not.toBe(before);
      expect(await copied()).toBe(0);
    });
  });

  describe('COPY TO', () => {
    test('that ends leaves its connection to the next user', async () => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, options);
      const client = await pool.connect();
      const before = await backendPid(client);
      expect(await copyOut(client, `select generate_series(1, ${LINES})`)).toBe(LINES);
      client.release();
      expect(await backendPid(pool)).toBe(before);
      expect(pool.log.closeReasons).toEqual([]);
    });

    test('that ends in a transaction left open costs its connection', async () => {
      const pool = await makePool(proxy(), { maxOpenConns: 1 }, options);
      const client = await pool.connect();
      await client.query('begin');
      proxy().set({ messageDelayMs: (type) => (type === 'Z' ? 60 : 0) });
      expect(await copyOut(client, 'select 1')).toBe(1);
      client.release();
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(pool.log.closeReasons).toEqual(['tx_open']);
    });

    test('that fails in the middle rejects with the server’s error, and its connection is kept', async () => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, options);
      const client = await pool.connect();
      const before = await backendPid(client);
      const failing = `select 1 / (${LINES / 2} - n) from generate_series(1, ${LINES}) n`;
      expect((await rejection(copyOut(client, failing))).code).toBe('22012');
      client.release();
      expect(await backendPid(pool)).toBe(before);
      expect(pool.log.closeReasons).toEqual([]);
    });

    test('whose reader fails half way costs its connection, and the server stops', async () => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, options);
      const client = await pool.connect();
      const before = await backendPid(client);
      const out = client.query(copy.to('copy (select generate_series(1, 10000000)) to stdout'));
      const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error('gone')) });
      expect((await rejection(pipeline(out, failing))).message).toBe('gone');
      client.release();
      expect(pool.log.closeReasons).toEqual(['busy']);
      expect(await backendPid(pool)).not.toBe(before);
      await until(
        'the server has stopped',
        async () =>
          (await server().query('select 1 from pg_stat_activity where pid = $1', [before])).rowCount === 0,
      );
    });
  });
});
