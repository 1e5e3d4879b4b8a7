import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient, QueryConfig } from 'pg';
import { describe, expect, test, vi } from 'vitest';
import {
  AcquireTimeoutError,
  ConfigError,
  PoolEndedError,
  type InstrumentedPool,
} from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { meterSdk } from '../../support/telemetry.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

/** Every way to acquire, each with a use of the client. */
const ACQUIRES: [string, (pool: InstrumentedPool) => Promise<string>][] = [
  ['connect()', async (pool) => withClient(await pool.connect())],
  [
    'connect() by callback',
    (pool) =>
      new Promise((resolve, reject) => {
        pool.connect((error, client) => {
          if (client === undefined) reject(error ?? new Error('no client'));
          else withClient(client).then(resolve, reject);
        });
      }),
  ],
  ['query()', async (pool) => tenantIn((await pool.query(TENANT)).rows)],
  [
    'query() by callback',
    (pool) =>
      new Promise((resolve, reject) => {
        pool.query(TENANT, (error: Error | undefined, result) => {
          if (error) reject(error);
          else resolve(tenantIn(result.rows));
        });
      }),
  ],
];

const TENANT = "select current_setting('app.tenant', true) as tenant";

function tenantIn(rows: readonly unknown[]): string {
  return (rows[0] as { tenant: string }).tenant;
}

async function withClient(client: PoolClient): Promise<string> {
  const { rows } = await client.query(TENANT);
  client.release();
  return tenantIn(rows);
}

describe('onAcquire', () => {
  const tenants = new AsyncLocalStorage<string>();
  const setTenant = async (client: PoolClient): Promise<void> => {
    await client.query("select set_config('app.tenant', $1, false)", [tenants.getStore() ?? 'none']);
  };

  test.each(ACQUIRES)(
    'runs before %s gets its client, in the async context of its caller',
    async (_how, acquire) => {
      const pool = await makePool(server(), { maxOpenConns: 2 }, { onAcquire: setTenant });
      const names = Array.from({ length: 12 }, (_, at) => `tenant ${at}`);
      const seen = await Promise.all(names.map((name) => tenants.run(name, () => acquire(pool))));
      expect(seen).toEqual(names);
      expect(await acquire(pool)).toBe('none');
      expect(pool.log.closeReasons).toEqual([]);
    },
  );

  test.each(ACQUIRES)('that fails rejects %s, and its connection is closed', async (_how, acquire) => {
    const onAcquire = vi.fn(() => Promise.reject(new Error('no such tenant')));
    const pool = await makePool(server(), { maxOpenConns: 1 }, { onAcquire });
    expect((await rejection(acquire(pool))).message).toBe('no such tenant');
    expect(pool.totalCount).toBe(0);
    expect(pool.log.closeReasons).toEqual(['hook']);
    expect(pool.log.named('postgres session hook failed')).toMatchObject([
      { level: 'warn', fields: { hook: 'acquire', error_type: 'Error' } },
    ]);
    onAcquire.mockImplementation(() => Promise.resolve() as Promise<never>);
    await acquire(pool);
  });

  test('that throws undefined rejects the acquire with an Error', async () => {
    const pool = await makePool(
      server(),
      {},
      {
        onAcquire: () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error
          throw undefined;
        },
      },
    );
    expect(await rejection(pool.connect())).toBeInstanceOf(Error);
  });

  test('is bounded by the timeout of its acquire, which aborts its signal', async () => {
    let signal: AbortSignal | undefined;
    const hang = (_: PoolClient, context: { signal: AbortSignal }): Promise<void> => {
      signal = context.signal;
      return new Promise(() => undefined);
    };
    const pool = await makePool(server(), { maxOpenConns: 1 }, { onAcquire: hang });
    const error = await rejection(pool.connect({ timeoutMs: 100 }));
    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(signal?.aborted).toBe(true);
    expect(pool.totalCount).toBe(0);
    expect(pool.stat().canceledAcquireCount).toBe(1);
  });

  test('is abandoned when the signal of its acquire aborts', async () => {
    const abort = new AbortController();
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      { onAcquire: () => new Promise(() => undefined) },
    );
    const acquiring = rejection(pool.connect({ signal: abort.signal }));
    await until('the hook runs', () => pool.stat().acquiredConns === 1);
    abort.abort(new Error('no longer wanted'));
    expect((await acquiring).message).toBe('no longer wanted');
    expect(pool.totalCount).toBe(0);
  });

  test("whose connection is lost rejects the acquire with the server's error", async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      { onAcquire: () => new Promise(() => undefined) },
    );
    const acquiring = rejection(pool.connect());
    await until('the hook runs', () => pool.stat().acquiredConns === 1);
    await server().query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = $1',
      ['client backend'],
    );
    expect((await acquiring).code).toBe('57P01');
    expect(pool.totalCount).toBe(0);
  });

  test('that still runs is abandoned when the pool ends, after endTimeoutMs', async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      { onAcquire: () => new Promise(() => undefined), endTimeoutMs: 100 },
    );
    const acquiring = rejection(pool.connect());
    await until('the hook runs', () => pool.stat().acquiredConns === 1);
    await pool.end();
    expect(await acquiring).toBeInstanceOf(PoolEndedError);
  });

  test.each([
    [
      'loses its client',
      async (client: PoolClient) => {
        await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
      },
      'server_closed',
    ],
    [
      'ends its client',
      (client: PoolClient) => {
        void client.end();
      },
      'hook',
    ],
  ])('that %s and ignores the error does not hand out a dead client', async (_what, onAcquire, reason) => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { onAcquire });
    expect(await rejection(pool.connect())).toBeInstanceOf(Error);
    await until('the connection is closed', () => pool.totalCount === 0);
    expect(pool.log.closeReasons).toEqual([reason]);
  });

  test('that continues after its own query timed out hands out a working client', async () => {
    const onAcquire = async (client: PoolClient): Promise<void> => {
      await client
        .query({ text: 'select pg_sleep(20)', query_timeout: 100 } as QueryConfig)
        .catch(() => undefined);
    };
    const pool = await makePool(server(), { maxOpenConns: 1 }, { onAcquire });
    const client = await pool.connect();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
  });

  test.each([false, 0, 'text', { code: 1 }])(
    'that rejects with %j rejects the acquire with an Error',
    async (thrown) => {
      const onAcquire = (): Promise<void> =>
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        Promise.reject(thrown);
      const pool = await makePool(server(), { maxOpenConns: 1 }, { onAcquire });
      const error = await rejection(pool.query('select 1'));
      expect(error).toBeInstanceOf(Error);
      expect(error.cause).toEqual(thrown);
    },
  );

  test('cannot release the client, and runs before the acquire event', async () => {
    const events: string[] = [];
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      {
        onAcquire: (client) => {
          events.push('hook');
          client.release();
        },
      },
    );
    pool.on('acquire', () => events.push('acquire'));
    const client = await pool.connect();
    expect(pool.idleCount).toBe(0);
    client.release();
    expect(events).toEqual(['hook', 'acquire']);
  });
});

describe('resetSession', () => {
  test("'discard' resets the session, and named statements still work", async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      { resetSession: 'discard', pg: { application_name: 'kept' } },
    );
    const named = { name: 'one', text: 'select 1 as one' };
    const before = await backendPid(pool);
    for (let run = 0; run < 3; run += 1) {
      const client = await pool.connect();
      expect((await client.query(named)).rows).toEqual([{ one: 1 }]);
      await client.query(
        'set role pg_read_all_data; set search_path to nowhere; create temp table mine (id int)',
      );
      await client.query("set application_name = 'mine'; select pg_advisory_lock(7); listen news");
      client.release();
      const { rows } = await pool.query(
        `select current_user = session_user as role, current_setting('search_path') as path,
          to_regclass('pg_temp.mine') as temp, current_setting('application_name') as name,
          (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
          (select count(*)::int from pg_listening_channels()) as channels`,
      );
      expect(rows).toEqual([
        { role: true, path: '"$user", public', temp: null, name: 'kept', locks: 0, channels: 0 },
      ]);
    }
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('runs once after every release and before the next hand-over, not on a new connection', async () => {
    const story: string[] = [];
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      {
        resetSession: async (client) => {
          story.push('reset');
          await client.query('select pg_sleep(0.05)');
          story.push('reset done');
        },
      },
    );
    const client = await pool.connect();
    story.push('held');
    const next = pool.connect();
    client.release();
    expect(pool.stat()).toMatchObject({ acquiredConns: 1, idleConns: 0 });
    const served = await next;
    story.push('served');
    served.release();
    await until('it is idle', () => pool.idleCount === 1);
    expect(story).toEqual(['held', 'reset', 'reset done', 'served', 'reset', 'reset done']);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('cannot be reset'))],
    [
      'throws',
      () => {
        throw new Error('cannot be reset');
      },
    ],
    [
      'leaves a transaction open',
      async (client: PoolClient) => {
        await client.query('begin');
      },
    ],
  ])('that %s costs the connection, and the next acquire gets another one', async (how, resetSession) => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { resetSession });
    const client = await pool.connect();
    const before = await backendPid(client);
    client.release();
    expect(await backendPid(pool)).not.toBe(before);
    await until('it is closed', () => pool.log.closeReasons.length > 0);
    expect(pool.log.closeReasons[0]).toBe(how.startsWith('leaves') ? 'tx_open' : 'hook');
  });

  test('is bounded by acquireTimeoutMs', async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      { resetSession: () => new Promise(() => undefined), acquireTimeoutMs: 300 },
    );
    (await pool.connect({ timeoutMs: 0 })).release();
    await until('it is closed', () => pool.totalCount === 0);
    expect(pool.log.named('postgres session hook failed')).toMatchObject([{ fields: { hook: 'reset' } }]);
  });

  test('that hangs is abandoned when the pool ends, after endTimeoutMs', async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      { resetSession: () => new Promise(() => undefined), acquireTimeoutMs: 0, endTimeoutMs: 100 },
    );
    (await pool.connect()).release();
    await pool.end();
    expect(pool.totalCount).toBe(0);
  });

  test('does not run in the async context of the release', async () => {
    const requests = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      {
        resetSession: () => {
          seen.push(requests.getStore());
        },
      },
    );
    await requests.run('request', async () => (await pool.connect()).release());
    expect(seen).toEqual([undefined]);
  });

  test('is not run while the pool ends', async () => {
    const resetSession = vi.fn(() => sleep(50));
    const pool = await makePool(server(), { maxOpenConns: 1 }, { resetSession });
    const client = await pool.connect();
    const ended = pool.end();
    client.release();
    await ended;
    expect(resetSession).not.toHaveBeenCalled();
  });

  test.each(['all', 1, {}])(
    "is refused when it is neither 'discard' nor a function: %j",
    async (resetSession) => {
      const error = await rejection(
        makePool(server(), {}, { resetSession: resetSession as unknown as 'discard' }),
      );
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain("resetSession must be 'discard' or a function");
    },
  );
});

test('durations of onAcquire and resetSession are recorded by hook name and error type', async () => {
  const meter = meterSdk();
  let fail = false;
  const pool = await makePool(
    server(),
    { maxOpenConns: 1 },
    {
      meterProvider: meter.meterProvider,
      poolName: 'hooked',
      resetSession: 'discard',
      onAcquire: () => {
        if (fail) throw new TypeError('no');
      },
    },
  );
  await pool.query('select 1');
  await until('it is reset', () => pool.idleCount === 1);
  fail = true;
  await rejection(pool.query('select 1'));
  const points = await meter.points('pgauge.session.hook.duration');
  const found = points.map(({ attributes, value }) => [
    attributes['pgauge.session.hook'],
    attributes['error.type'],
    (value as { count: number }).count,
  ]);
  expect(found.sort()).toEqual(
    [
      ['acquire', undefined, 1],
      ['acquire', 'TypeError', 1],
      ['reset', undefined, 1],
    ].sort(),
  );
});
