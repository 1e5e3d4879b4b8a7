import { describeEveryClient } from './every-client.js';
import type { Notification, PoolClient } from 'pg';
import { expect, test } from 'vitest';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

const notify = (payload: string): Promise<unknown> =>
  server().query("select pg_notify('news', $1)", [payload]);

/** Collects the payloads of a client's notifications, oldest first. */
function payloads(client: PoolClient): (string | undefined)[] {
  const heard: (string | undefined)[] = [];
  client.on('notification', ({ payload }: Notification) => heard.push(payload));
  return heard;
}

/** The channels on which a client's session listens. */
async function channels(client: { query(text: string): Promise<{ rows: unknown[] }> }): Promise<unknown[]> {
  return (await client.query('select pg_listening_channels() as channel')).rows;
}

describeEveryClient((options) => {
  test('a held client receives notifications, between its queries and while it waits', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const heard = payloads(client);
    await client.query('listen news');
    await notify('first');
    await until('it is told', () => heard.length === 1);
    await client.query("notify news, 'own'");
    await notify('second');
    await until('it is told', () => heard.length === 3);
    expect(heard).toEqual(['first', 'own', 'second']);
    client.removeAllListeners('notification');
    client.release();
  });

  test('a released client keeps listening: the pool undoes neither LISTEN nor the listener', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const heard = payloads(client);
    await client.query('listen news');
    client.release();
    await notify('idle');
    await until('it is told', () => heard.length === 1);
    const next = await pool.connect();
    expect(next).toBe(client);
    expect(await channels(next)).toEqual([{ channel: 'news' }]);
    await notify('held by the next');
    await until('it is told', () => heard.length === 2);
    next.release();
    expect(heard).toEqual(['idle', 'held by the next']);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a client that has stopped listening is released like any other', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    const heard = payloads(client);
    await client.query('listen news');
    await client.query('unlisten *');
    client.removeAllListeners('notification');
    client.release();
    await notify('too late');
    expect(await channels(pool)).toEqual([]);
    expect(await backendPid(pool)).toBe(before);
    expect(heard).toEqual([]);
  });

  test('a client released to be closed no longer listens', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const heard = payloads(client);
    await client.query('listen news');
    client.release(true);
    await notify('too late');
    expect(await channels(pool)).toEqual([]);
    expect(heard).toEqual([]);
    expect(pool.log.closeReasons).toEqual(['released_with_error']);
  });

  test('a listening client emits an error when its session ends, so that it can be replaced', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    await client.query('listen news');
    const lost = new Promise((resolve) => client.once('error', resolve));
    await server().query('select pg_terminate_backend($1)', [await backendPid(client)]);
    expect(await lost).toMatchObject({ code: '57P01' });
    client.release();
    const next = await pool.connect();
    const heard = payloads(next);
    await next.query('listen news');
    await notify('again');
    await until('it is told', () => heard.length === 1);
    next.removeAllListeners('notification');
    next.release();
  });
});
