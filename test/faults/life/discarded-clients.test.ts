import type { PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import type { PoolOptions } from '../../../src/index.js';
import { rejection } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import type { ExpectedCloses } from '../support/pool-watch.js';
import { useWatchedPools, type WatchedPool } from '../support/watched-pools.js';

// Otherwise a session whose client is gone would continue until its query is done.
const server = useFaultServer({ client_connection_check_interval: '100ms' });
const makePool = useWatchedPools(server);

describe('a client that is released', () => {
  const inTransaction = async (client: PoolClient): Promise<void> => {
    await client.query(unique('begin'));
    await client.query(unique('create table never (id int)'));
    client.release();
  };
  const inFailedTransaction = async (client: PoolClient): Promise<void> => {
    await client.query(unique('begin'));
    await rejection(client.query(unique('select 1/0')));
    client.release();
  };
  const inTheMiddle = async (client: PoolClient): Promise<void> => {
    const running = rejection(client.query(unique('select pg_sleep(30)')));
    client.release();
    expect((await running).message).toMatch(/^Connection terminated/);
  };
  const afterTimeout = async (client: PoolClient): Promise<void> => {
    expect((await rejection(client.query(unique('select pg_sleep(30)')))).message).toContain('timeout');
    client.release();
  };
  const withError = (client: PoolClient): Promise<void> => {
    client.release(new Error('mine'));
    return Promise.resolve();
  };
  const afterPlainError = async (client: PoolClient): Promise<void> => {
    await rejection(client.query(unique('select 1/0')));
    client.release();
  };
  const inCallbackOfFailure = (client: PoolClient): Promise<void> =>
    new Promise((resolve) => {
      client.query(unique('select 1/0'), () => {
        client.release();
        resolve();
      });
    });

  test.each<[string, (client: PoolClient) => Promise<void>, ExpectedCloses]>([
    ['inside a transaction is destroyed', inTransaction, { tx_open: 1 }],
    ['inside a transaction that has failed is destroyed', inFailedTransaction, { tx_open: 1 }],
    ['in the middle of a query is destroyed', inTheMiddle, { busy: 1 }],
    ['after a query timeout is kept', afterTimeout, {}],
    ['with an error is destroyed', withError, { released_with_error: 1 }],
    ['after a plain SQL error is kept', afterPlainError, {}],
    ['in the callback of a failed query is kept', inCallbackOfFailure, {}],
  ])(
    '%s, logged and counted, and the next caller gets a working connection',
    async (_how, giveBack, closed) => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
      const client = await pool.connect();
      const waiting = pool.query(unique('select current_database()'));
      await giveBack(client);
      expect((await waiting).rows).toHaveLength(1);
      await pool.keepsTheRules(closed);
      const { rowCount } = await server().query("select 1 from pg_tables where tablename = 'never'");
      expect(rowCount).toBe(0);
    },
  );
});

describe('an afterConnect that', () => {
  type AfterConnect = NonNullable<PoolOptions['afterConnect']>;

  const once = (first: AfterConnect): AfterConnect => {
    let ran = false;
    return (client, context) => {
      if (ran) return;
      ran = true;
      return first(client, context);
    };
  };
  const failsOnce = async (first: AfterConnect): Promise<[WatchedPool, Error & { code?: string }]> => {
    const options = { connectTimeoutMs: 3_000, afterConnect: once(first) };
    const pool = await makePool(server(), { maxOpenConns: 2 }, options);
    return [pool, await rejection(pool.connect())];
  };

  test('throws closes its connection and rejects the acquire with its error', async () => {
    const mine = new Error('mine');
    const [pool, error] = await failsOnce(() => Promise.reject(mine));
    expect(error).toBe(mine);
    await pool.keepsTheRules({ hook: 1 });
  });

  test('runs a failing query closes its connection and rejects the acquire with the query error', async () => {
    const [pool, error] = await failsOnce(async (client) => {
      await client.query(unique('select 1/0'));
    });
    expect(error.code).toBe('22012');
    await pool.keepsTheRules({ hook: 1 });
  });

  test('hangs is abandoned at the connect deadline', async () => {
    const [pool, error] = await failsOnce(() => new Promise(() => undefined));
    expect(error.code).toBe('ERR_PGAUGE_CONNECT_TIMEOUT');
    await pool.keepsTheRules({ timeout: 1 });
  });

  test('loses its connection rejects the acquire with the server’s error', async () => {
    const [pool, error] = await failsOnce(async (client) => {
      await client.query(unique('select pg_terminate_backend(pg_backend_pid())'));
    });
    expect(error.code).toBe('57P01');
    await pool.keepsTheRules({ server_closed: 1 });
  });

  test('leaves a transaction open has its connection destroyed after its first use', async () => {
    const options = {
      afterConnect: once(async (client) => {
        await client.query(unique('begin'));
      }),
    };
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    (await pool.connect()).release();
    await pool.keepsTheRules({ tx_open: 1 });
  });

  test('runs queries works', async () => {
    const afterConnect: AfterConnect = async (client) => {
      await client.query(unique("set work_mem = '1MB'"));
    };
    const pool = await makePool(server(), { maxOpenConns: 2 }, { afterConnect });
    expect((await pool.query(unique('show work_mem'))).rows).toEqual([{ work_mem: '1MB' }]);
    await pool.keepsTheRules({});
  });
});

describe('a connection that expires', () => {
  test('under load fails no query, and the maximum always holds', async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 4, connMaxLifetimeMs: 40 },
      { connMaxLifetimeJitterMs: 40, healthCheckPeriodMs: 10 },
    );
    let queries = 0;
    const worker = async (): Promise<void> => {
      while (pool.stat().maxLifetimeDestroyCount < 50) {
        await pool.query(unique('select 1'));
        queries += 1;
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(queries).toBeGreaterThan(20);
    expect(pool.log.records.filter(({ level }) => level === 'warn')).toEqual([]);
    await pool.keepsTheRules({ lifetime: 'some' });
  });
});
