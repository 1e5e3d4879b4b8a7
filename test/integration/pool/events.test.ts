import type { Socket } from 'node:net';
import type { PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);
const LISTENERS = new URL('./scripts/throwing-listener.ts', import.meta.url);

describe('events', () => {
  test('come in order: connect, acquire, callback, release, remove', async () => {
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

  test('of a release carry the error it was given, and the client', async () => {
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

  test('of an idle loss carry the error and the client', async () => {
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
  });
});

describe('a listener that throws', () => {
  test.each(['connect', 'acquire', 'release', 'remove'])(
    'on %s is an uncaught exception of its owner, and the pool works on',
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
