import type { PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { meterSdk } from '../../support/telemetry.js';

const server = usePostgres();
const makePool = usePools(server);
const RELEASED = 'Release called on client which has already been released to the pool.';
const USE_TIME = 'db.client.connection.use_time';

describe('a connection is never handed to two callers at once', () => {
  test('although every caller releases it twice and keeps calling the release functions of earlier checkouts', async () => {
    const { meterProvider, value } = meterSdk();
    const pool = await makePool(server(), { maxOpenConns: 3 }, { meterProvider });
    const stale: (() => void)[] = [];
    const inUse = new Set<PoolClient>();
    const complaints: unknown[] = [];
    const complain = (call: () => void): void => {
      try {
        call();
        complaints.push('nothing was thrown');
      } catch (error) {
        if ((error as Error).message !== RELEASED) complaints.push(error);
      }
    };
    const take = (client: PoolClient): void => {
      if (inUse.has(client)) complaints.push('handed to two users');
      inUse.add(client);
    };
    const byPromise = async (): Promise<void> => {
      const client = await pool.connect();
      take(client);
      const { release } = client;
      for (const old of stale) complain(old);
      await client.query('select 1');
      inUse.delete(client);
      release();
      complain(release);
      stale.push(release);
    };
    const byCallback = (): Promise<void> =>
      new Promise((resolve, reject) => {
        pool.connect((error, client, done) => {
          if (client === undefined) {
            reject(error ?? new Error('no client'));
            return;
          }
          take(client);
          for (const old of stale) complain(old);
          client.query('select 1', () => {
            inUse.delete(client);
            done();
            complain(done);
            stale.push(done);
            resolve();
          });
        });
      });
    const users = Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? byPromise() : byCallback()));
    await Promise.all(users);
    expect(complaints).toEqual([]);
    expect(stale).toHaveLength(60);
    expect(pool.stat()).toMatchObject({ acquiredConns: 0, idleConns: 3, totalConns: 3, acquireCount: 60 });
    expect(await value(USE_TIME)).toMatchObject({ count: 60 });
  });

  test('and its use is counted once, although the connection was lost before the release', async () => {
    const { meterProvider, value } = meterSdk();
    const pool = await makePool(server(), { maxOpenConns: 1 }, { meterProvider, leakDetectionMs: 60_000 });
    const client = await pool.connect();
    await rejection(client.query('select pg_terminate_backend(pg_backend_pid())'));
    await until('the loss is noticed', () => pool.totalCount === 0);
    expect(await value(USE_TIME)).toMatchObject({ count: 1 });
    const released: unknown[] = [];
    pool.on('release', (...args: unknown[]) => released.push(args));
    const next = await pool.connect();
    client.release();
    expect(released).toHaveLength(1);
    expect(() => client.release()).toThrow(RELEASED);
    expect(pool.stat()).toMatchObject({ acquiredConns: 1, idleConns: 0, totalConns: 1 });
    expect(await value(USE_TIME)).toMatchObject({ count: 1 });
    next.release();
    expect(await value(USE_TIME)).toMatchObject({ count: 2 });
  });
});
