import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type PoolClient } from 'pg';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { InstrumentedPool } from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeEach(() => proxy().clear());

/** The method of a pooled client that its types lack. */
interface Endable {
  end(): Promise<void>;
}

/** Expects that the pool serves queries, and has no client checked out. */
async function expectWhole(pool: InstrumentedPool): Promise<void> {
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  expect(pool.stat()).toMatchObject({ acquiredConns: 0, idleConns: 1, totalConns: 1 });
}

describe('a client whose listeners were all removed by its user', () => {
  test('is watched again once it is idle: losing it does not crash the process', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    const client = await pool.connect();
    client.removeAllListeners();
    client.release();
    proxy().resetAll();
    await until('the loss is seen', () => pool.totalCount === 0);
    expect(pool.log.closeReasons).toEqual(['network']);
    await expectWhole(pool);
  });

  test('is watched again when it is handed straight to a waiting acquire', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    const first = await pool.connect();
    const waiting = pool.connect();
    first.removeAllListeners();
    first.release();
    const second = await waiting;
    expect(second).toBe(first);
    proxy().resetAll();
    await until('the loss is seen', () => pool.totalCount === 0);
    second.release();
    await expectWhole(pool);
  });

  test('is watched again when a connect listener removed them', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    pool.once('connect', (client: PoolClient) => void client.removeAllListeners());
    const client = await pool.connect();
    proxy().resetAll();
    await until('the loss is seen', () => pool.totalCount === 0);
    client.release();
    await expectWhole(pool);
  });

  test('has the same number of error listeners at every checkout', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const counts = new Set<number>();
    for (let round = 0; round < 5; round += 1) {
      const client = await pool.connect();
      counts.add(client.listenerCount('error'));
      if (round % 2 === 1) client.removeAllListeners();
      client.release();
    }
    expect(counts.size).toBe(1);
    expect(pool.stat().newConnsCount).toBe(1);
  });
});

describe('a client that is ended by its user', () => {
  test('and released before end() resolves is not handed out again', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const ended = (client as unknown as Endable).end();
    client.release();
    expect(pool.idleCount).toBe(0);
    await expectWhole(pool);
    await ended;
    expect(pool.log.closeReasons).toEqual(['released_with_error']);
  });

  test.each([
    ['without awaiting end()', (client: Endable) => void client.end()],
    ['awaiting end()', (client: Endable) => client.end()],
  ])('in afterConnect, %s, fails as an error of the hook', async (_name, end) => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { afterConnect: (client) => end(client) });
    expect((await rejection(pool.query('select 1'))).message).toBe('afterConnect ended its client');
    expect(pool.totalCount).toBe(0);
    expect(pool.log.closeReasons).toEqual(['hook']);
  });
});

describe.each(['beforeConnect', 'afterConnect'])('%s that throws a value other than an Error', (hook) => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['0', 0],
    ["''", ''],
    ['false', false],
  ])('throwing %s rejects the acquire with an Error, and the attempt is logged', async (_name, thrown) => {
    const throwing = (): void => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw thrown;
    };
    const pool = await makePool(server(), { maxOpenConns: 1 }, { [hook]: throwing });
    expect(await rejection(pool.connect())).toBeInstanceOf(Error);
    expect(await rejection(pool.query('select 1'))).toBeInstanceOf(Error);
    const inCallback = await new Promise<unknown>((resolve) => pool.query('select 1', resolve));
    expect(inCallback).toBeInstanceOf(Error);
    expect(pool.totalCount).toBe(0);
    expect(pool.log.named('postgres connect failed')).not.toEqual([]);
    expect(pool.stat().newConnsCount).toBe(3);
  });
});

describe('an error whose stack cannot be extended', () => {
  const ODD: [string, () => Error][] = [
    ['has a number for a stack', () => Object.assign(new Error('mine'), { stack: 5 })],
    ['is frozen', () => Object.freeze(new Error('mine'))],
    [
      'throws when its stack is read',
      () =>
        Object.defineProperty(new Error('mine'), 'stack', {
          get(): never {
            throw new Error('not mine');
          },
        }),
    ],
  ];

  test.each(ODD)('because it %s is passed on unchanged', async (_name, make) => {
    const mine = make();
    const beforeConnect = (): void => {
      throw mine;
    };
    const pool = await makePool(server(), {}, { beforeConnect });
    // Do not use `toBe`, which would print it.
    expect((await rejection(pool.connect())) === mine).toBe(true);
    expect((await rejection(pool.query('select 1'))) === mine).toBe(true);
  });
});

describe('a parameter that cannot be serialised', () => {
  function circular(): object {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    return value;
  }

  /** Whether the driver sends Sync after it. The lowest driver does not, and the pool closes the connection. */
  let recovers = false;
  beforeAll(async () => {
    const { host, port, user, password, database } = server();
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    await client.query('select $1::json', [circular()]).catch(() => undefined);
    const answered = client.query('select 1').then(
      () => true,
      () => false,
    );
    recovers = await Promise.race([answered, sleep(8_000, false)]);
    await client.end();
  });

  test('fails pool.query once, after the call has returned', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const before = await backendPid(pool);
    let returned = false;
    const calls: [unknown, boolean][] = [];
    pool.query('select $1::json', [circular()], (error: Error) => calls.push([error, returned]));
    returned = true;
    await until('the callback is called', () => calls.length > 0);
    expect((await backendPid(pool)) === before).toBe(recovers);
    expect(calls).toEqual([[expect.any(TypeError), true]]);
    await expectWhole(pool);
  });

  test('fails client.query, and the pool works after the client is released', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    expect(await rejection(client.query('select $1::json', [circular()]))).toBeInstanceOf(TypeError);
    client.release();
    await expectWhole(pool);
    await expectWhole(pool);
    expect(pool.log.closeReasons).toEqual(recovers ? [] : ['busy']);
  });

  test('does not make the pool mistake the next query, still running, for a failed one', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await rejection(client.query('select $1::json', [circular()]));
    const running = rejection(client.query('select pg_sleep(60)'));
    const seen = async (): Promise<boolean> => {
      const { rowCount } = await server().query(
        "select 1 from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'",
      );
      return rowCount === 1;
    };
    if (recovers) await until('the server runs it', seen);
    client.release();
    expect(pool.stat()).toMatchObject({ acquiredConns: 1, idleConns: 0 });
    await running;
    expect(pool.log.closeReasons).toEqual(['busy']);
  });
});

describe('a query object with its own callback', () => {
  const Query = pg.Query as unknown as new (text: string, callback: (...args: unknown[]) => void) => pg.Query;

  test.each([
    ['that works', 'select 1 as one', null, { rows: [{ one: 1 }] }],
    ['that fails', 'select 1/0', { code: '22012' }, undefined],
  ])(
    '%s has its callback called once, and the client goes back to the pool',
    async (_name, text, error, result) => {
      const pool = await makePool(server(), { maxOpenConns: 1 });
      const calls: unknown[][] = [];
      const outcome = pool.query(
        new Query(text, (...args) => calls.push(args)),
      ) as unknown as Promise<unknown>;
      await outcome.catch(() => undefined);
      await until('the callback is called', () => calls.length > 0);
      await expectWhole(pool);
      expect(calls).toHaveLength(1);
      expect(calls[0]?.[0]).toEqual(error === null ? null : expect.objectContaining(error));
      expect(calls[0]?.[1]).toEqual(result === undefined ? undefined : expect.objectContaining(result));
    },
  );
});

describe('null instead of an argument', () => {
  test('counts as no options for connect()', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect(null as never);
    client.release();
    await expectWhole(pool);
  });

  test('counts as no callback for end(), which returns its promise', async () => {
    const pool = await makePool(server());
    const end = pool.end.bind(pool) as unknown as (callback: null) => unknown;
    const ended = end(null);
    expect(ended).toBeInstanceOf(Promise);
    await ended;
    expect(pool.ended).toBe(true);
  });

  test('counts as no values for query()', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<pg.QueryResult>;
    expect((await query('select 2 as two', null, null)).rows).toEqual([{ two: 2 }]);
    await expectWhole(pool);
  });
});
