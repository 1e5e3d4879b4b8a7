import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import type { Pool, PoolClient } from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { eitherPool, type Kind } from '../comparison/either-pool.js';

const server = usePostgres();
const makePool = usePools(server);
const LISTENERS = new URL('./scripts/throwing-listener.ts', import.meta.url);

const pools: Pool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

/** A pool of either kind, with one connection. */
async function openPool(kind: Kind): Promise<Pool> {
  const pool = await eitherPool(kind, server());
  pools.push(pool);
  return pool;
}

async function running(pid: number): Promise<boolean> {
  const { rowCount } = await server().query(
    "select from pg_stat_activity where pid = $1 and state = 'active' and query like '%pg_sleep%'",
    [pid],
  );
  return rowCount === 1;
}

describe('pool events', () => {
  test('are emitted in order: connect, acquire, callback, release, remove', async () => {
    const pool = await makePool(server());
    const story: string[] = [];
    let idleAtRelease: number | undefined;
    pool.on('connect', (client) => {
      story.push('connect');
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
      stream.once('close', () => story.push('closed'));
    });
    pool.on('acquire', () => story.push('acquire'));
    pool.on('release', () => {
      story.push('release');
      idleAtRelease = pool.idleCount;
    });
    pool.on('remove', () => story.push('remove'));
    await new Promise<void>((resolve) => {
      pool.connect((_error, _client, done) => {
        story.push('callback');
        done();
        resolve();
      });
    });
    await pool.query('select 1');
    await pool.end();
    expect(story).toEqual([
      ...['connect', 'acquire', 'callback', 'release'],
      ...['acquire', 'release', 'closed', 'remove'],
    ]);
    expect(idleAtRelease).toBe(0);
  });

  test('for a release have its error and the client', async () => {
    const pool = await makePool(server());
    const given: unknown[][] = [];
    pool.on('release', (...args: unknown[]) => given.push(args));
    const client = await pool.connect();
    client.release();
    const again = await pool.connect();
    const error = new Error('mine');
    again.release(error);
    expect(given).toEqual([
      [undefined, client],
      [error, again],
    ]);
  });

  test('for a lost idle connection have the error and the client', async () => {
    const pool = await makePool(server());
    const errors: [Error, PoolClient][] = [];
    pool.on('error', (error: Error, client: PoolClient) => errors.push([error, client]));
    const client = await pool.connect();
    const pid = (client as unknown as { processID: number }).processID;
    client.release();
    await server().query('select pg_terminate_backend($1)', [pid]);
    await until('the loss is told', () => errors.length === 1);
    expect((errors[0]?.[0] as { code?: string } | undefined)?.code).toBe('57P01');
    expect(errors[0]?.[1]).toBe(client);
    expect(pool.totalCount).toBe(0);
    // The client is on the error, as with pg.Pool, but not in a log of it.
    const [error] = errors[0] ?? [];
    expect((error as { client?: unknown } | undefined)?.client).toBe(client);
    expect(Object.keys(error ?? {})).not.toContain('client');
    expect(inspect(error)).not.toContain('secretKey');
  });

  test.each(['pg.Pool', 'pgauge'] as const)(
    'of %s report a session that ended under a client that was then released without an error',
    async (kind) => {
      const pool = await openPool(kind);
      const errors: (Error & { client?: unknown })[] = [];
      pool.on('error', (error: Error) => errors.push(error));
      const client = await pool.connect();
      const pid = (client as unknown as { processID: number }).processID;
      // Released when the query fails, before the socket shows that the session has ended.
      const killed = rejection(client.query('select pg_sleep(60)').finally(() => client.release()));
      await until('the server runs it', () => running(pid));
      await server().query('select pg_terminate_backend($1)', [pid]);
      expect(await killed).toMatchObject({ code: '57P01' });
      await until('the loss is told', () => errors.length > 0);
      expect(errors).toMatchObject([{ message: 'Connection terminated unexpectedly' }]);
      expect(errors[0]?.client).toBe(client);
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(errors).toHaveLength(1);
    },
  );

  test.each(['pg.Pool', 'pgauge'] as const)(
    'of %s do not report a session that ended during pool.query, which rejects',
    async (kind) => {
      const pool = await openPool(kind);
      const errors: Error[] = [];
      pool.on('error', (error: Error) => errors.push(error));
      const pids: number[] = [];
      pool.on('acquire', (client: PoolClient) => {
        pids.push((client as unknown as { processID: number }).processID);
      });
      const killed = rejection(pool.query('select pg_sleep(60)'));
      await until('the server runs it', () => running(pids[0] ?? 0));
      await server().query('select pg_terminate_backend($1)', [pids[0]]);
      expect(await killed).toMatchObject({ code: '57P01' });
      await until('the connection is gone', () => pool.totalCount === 0);
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(errors).toEqual([]);
    },
  );
});

describe('a listener that throws', () => {
  test.each(['connect', 'acquire', 'release', 'remove'])(
    'on %s causes an uncaught exception, and the pool still works',
    async (event) => {
      const { host, port, user, password, database } = server();
      const child = runScript(LISTENERS, [event], {
        env: { PG: JSON.stringify({ host, port, user, password, database }) },
      });
      const { code, lines, stderr } = await child.result;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(lines).toContain(`uncaught: ${event} listener`);
      expect(lines.filter((line) => line === 'query worked')).toHaveLength(3);
      expect(lines.at(-1)).toBe('used 0 waiting 0 ended true');
    },
  );
});
