import { AsyncLocalStorage } from 'node:async_hooks';
import type { PoolClient } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InstrumentedPool } from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);
const request = new AsyncLocalStorage<string>();

type Call = (pool: InstrumentedPool, done: () => void) => void;

const connect: Call = (pool, done) =>
  pool.connect((error, _client, release) => {
    if (error === undefined) release();
    done();
  });
const query: Call = (pool, done) => pool.query('select 1', () => done());
const badQuery: Call = (pool, done) => pool.query({ text: 'select $1', values: 7 as never }, () => done());
const noQuery: Call = (pool, done) =>
  pool.query(null as never, () => {
    done();
  });

const CALLS: [string, Call][] = [
  ['connect', connect],
  ['query', query],
  ['query refused by the driver', badQuery],
  ['query without a query', noQuery],
];

describe.each(CALLS)('a callback of %s', (_name, call) => {
  async function expectLater(pool: InstrumentedPool): Promise<void> {
    let returned = false;
    const calledAfterReturn = new Promise<boolean>((resolve) => {
      call(pool, () => resolve(returned));
      returned = true;
    });
    expect(await calledAfterReturn).toBe(true);
  }

  test('is never called before the call returns, on a cold, warm or ended pool', async () => {
    const pool = await makePool(server());
    await expectLater(pool);
    await pool.query('select 1');
    await expectLater(pool);
    await pool.end();
    await expectLater(pool);
  });

  test.each([1, 10])("runs in its caller's async context with %i connections for 5 callers", async (max) => {
    const pool = await makePool(server(), { maxOpenConns: max });
    const seen: Promise<[string, string | undefined]>[] = [];
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      request.run(id, () => {
        seen.push(
          new Promise((resolve) => {
            call(pool, () => resolve([id, request.getStore()]));
          }),
        );
      });
    }
    for (const [id, store] of await Promise.all(seen)) expect(store).toBe(id);
  });
});

describe('the async context of a request', () => {
  test('does not stay on the connection opened for it', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const seen: Record<string, string | undefined> = {};
    const note = (name: string) => (): void => {
      seen[name] = request.getStore();
    };
    pool.on('error', note('error'));
    pool.on('remove', note('remove'));
    const client = await request.run('first', () => pool.connect());
    client.on('notification', note('notification'));
    client.on('notice', note('notice'));
    client.on('end', note('end'));
    await request.run('second', () => client.query('listen news'));
    client.release();
    await server().query("notify news, 'hello'");
    await until('the notification arrives', () => 'notification' in seen);
    const pid = (client as PoolClient & { processID: number }).processID;
    await server().query('select pg_terminate_backend($1)', [pid]);
    await until('the connection is gone', () => 'remove' in seen && 'end' in seen && 'error' in seen);
    expect(seen).toEqual({ notification: undefined, error: undefined, end: undefined, remove: undefined });
  });

  test('is kept in the code that awaits a query', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 });
    const ids = Array.from({ length: 10 }, (_, index) => `request ${index}`);
    const stores = await Promise.all(
      ids.map((id) =>
        request.run(id, async () => {
          const client = await pool.connect();
          await client.query('select 1');
          client.release();
          await pool.query('select 1');
          return request.getStore();
        }),
      ),
    );
    expect(stores).toEqual(ids);
  });

  test('is not visible in the hooks of a dial', async () => {
    const seen: (string | undefined)[] = [];
    const pool = await makePool(
      server(),
      {},
      {
        beforeConnect: () => void seen.push(request.getStore()),
        afterConnect: () => void seen.push(request.getStore()),
      },
    );
    await request.run('caller', () => pool.query('select 1'));
    expect(seen).toEqual([undefined, undefined]);
  });
});

describe('a callback that throws', () => {
  const uncaught: unknown[] = [];
  let others: NodeJS.UncaughtExceptionListener[] = [];
  beforeEach(() => {
    uncaught.length = 0;
    others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
  });
  afterEach(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of others) process.on('uncaughtException', listener);
  });

  test.each(['select 1', 'select 1/0'])(
    'after %s is an uncaught exception, and its connection is kept',
    async (text) => {
      const pool = await makePool(server(), { maxOpenConns: 1 });
      const before = await backendPid(pool);
      const mine = new Error('mine');
      pool.query(text, () => {
        throw mine;
      });
      await until('the error surfaces', () => uncaught.length > 0);
      expect(uncaught).toEqual([mine]);
      expect(await backendPid(pool)).toBe(before);
      expect(pool.stat()).toMatchObject({ acquiredConns: 0, idleConns: 1 });
    },
  );

  test('when it gets a released client does not throw in that release, and the next acquire is served', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const mine = new Error('mine');
    pool.connect((_error, _client, done) => {
      done();
      throw mine;
    });
    const next = pool.connect();
    client.release();
    (await next).release();
    await until('the error surfaces', () => uncaught.length > 0);
    expect(uncaught).toEqual([mine]);
  });

  test('when it gets a new connection does not block the acquire behind it', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 }, { maxConnecting: 1, endTimeoutMs: 1 });
    const mine = new Error('mine');
    pool.connect(() => {
      throw mine;
    });
    const next = await pool.connect();
    next.release();
    expect(uncaught).toEqual([mine]);
    // The first callback never released its client.
    pool.reset();
    expect(pool.stat()).toMatchObject({ acquiredConns: 1, totalConns: 1 });
  });
});
