import { connect } from 'node:net';
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { AcquireTimeoutError } from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

/** For acquires that must succeed, however slow the machine is. */
const PATIENT = { timeoutMs: 20_000 };

beforeEach(() => proxy().clear());

describe('dialling', () => {
  test('happens only when a connection is needed', async () => {
    const pool = await makePool(proxy());
    await sleep(50);
    // Our own connection is accepted after any that the pool might have dialled.
    const own = connect(proxy().port, proxy().host).on('error', () => undefined);
    await until('our own connection is accepted', () => proxy().accepted === 1);
    own.destroy();
    expect(pool.stat()).toMatchObject({ totalConns: 0, newConnsCount: 0 });
    await pool.query('select 1');
    expect(proxy().accepted).toBe(2);
    await pool.query('select 1');
    expect(proxy().accepted).toBe(2);
  });

  test('makes no more attempts than there are callers, and never more than the maximum', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 3 });
    await Promise.all(Array.from({ length: 2 }, () => pool.query('select pg_sleep(0.05)')));
    expect(proxy().accepted).toBe(2);
    await Promise.all(Array.from({ length: 12 }, () => pool.query('select pg_sleep(0.01)')));
    expect(proxy().accepted).toBe(3);
    expect(pool.stat()).toMatchObject({ newConnsCount: 3, totalConns: 3 });
  });

  test('makes at most maxConnecting attempts at once', async () => {
    let dialling = 0;
    let most = 0;
    const pool = await makePool(
      server(),
      { maxOpenConns: 8 },
      {
        maxConnecting: 2,
        beforeConnect: async () => {
          dialling += 1;
          most = Math.max(most, dialling);
          await sleep(10);
        },
        afterConnect: () => void (dialling -= 1),
      },
    );
    const clients = await Promise.all(Array.from({ length: 8 }, () => pool.connect()));
    expect(most).toBe(2);
    for (const client of clients) client.release();
  });

  test('that fails rejects only the acquire it was for, and the others get attempts of their own', async () => {
    let attempts = 0;
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      {
        beforeConnect: (target) => {
          attempts += 1;
          if (attempts === 1) target.password = 'wrong';
        },
      },
    );
    const [first, ...others] = await Promise.allSettled(
      Array.from({ length: 4 }, () => pool.query('select 1')),
    );
    expect(first).toMatchObject({ status: 'rejected', reason: { code: '28P01' } });
    expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(attempts).toBe(2);
  });

  test('that succeeds after its caller gave up leaves an idle connection', async () => {
    proxy().set({ messageDelayMs: (type) => (type === 'K' ? 300 : 0) });
    const pool = await makePool(proxy());
    const error = await rejection(pool.connect({ timeoutMs: 50 }));
    expect(error).toBeInstanceOf(AcquireTimeoutError);
    await until('the late connection is idle', () => pool.idleCount === 1);
    proxy().set({ messageDelayMs: () => 0 });
    await pool.query('select 1');
    expect(proxy().accepted).toBe(1);
  });

  test('that is refused rejects with ECONNREFUSED, and works once the server does', async () => {
    const pool = await makePool(proxy());
    await proxy().pause();
    expect((await rejection(pool.query('select 1'))).code).toBe('ECONNREFUSED');
    expect(pool.totalCount).toBe(0);
    await proxy().listen();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('the order of acquires', () => {
  test('the connection that was released last is handed out first', async () => {
    const pool = await makePool(server());
    const [first, second, third] = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    second.release();
    third.release();
    first.release();
    const again = [await pool.connect(), await pool.connect(), await pool.connect()];
    expect(again).toEqual([first, third, second]);
    for (const client of again) client.release();
  });

  test('the oldest waiting acquire is served first, in any form', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const holder = await pool.connect();
    await server().query('create sequence turn');
    const turn = async (on: { query(text: string): Promise<{ rows: { turn: string }[] }> }) =>
      (await on.query("select nextval('turn') as turn")).rows[0]?.turn;
    const asPromise = async (): Promise<unknown> => {
      const client = await pool.connect();
      return turn(client).finally(() => client.release());
    };
    const turns = [
      asPromise(),
      new Promise((resolve) => {
        pool.connect((_error, client, done) => {
          if (client !== undefined) resolve(turn(client).finally(done));
        });
      }),
      turn(pool),
      asPromise(),
    ];
    holder.release();
    expect(await Promise.all(turns)).toEqual(['1', '2', '3', '4']);
  });

  test('a later acquire never overtakes a waiting one', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const holder = await pool.connect();
    const served: string[] = [];
    const waiter = pool.connect().then((client) => {
      served.push('waiter');
      client.release();
    });
    holder.release();
    const late = pool.connect().then((client) => {
      served.push('late');
      client.release();
    });
    await Promise.all([waiter, late]);
    expect(served).toEqual(['waiter', 'late']);
  });
});

describe('an acquire that waits too long', () => {
  test('rejects with an error that has the counts, the holders and the last connect error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 }, { acquireTimeoutMs: 60 });
    const holders = [await pool.connect(PATIENT), await pool.connect(PATIENT)];
    const error = await rejection(pool.connect());
    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(error.name).toBe('AcquireTimeoutError');
    expect(error.code).toBe('ERR_PGAUGE_ACQUIRE_TIMEOUT');
    expect(error.message).toMatch(
      /^timeout exceeded when trying to connect \(waited \d+ ms; total 2, used 2, idle 0, connecting 0, waiting \d; longest held \d+ ms, \d+ ms\)$/,
    );
    expect(error.cause).toBeUndefined();
    for (const client of holders) client.release();
  });

  test('has the last connect error as the cause of its error', async () => {
    let attempts = 0;
    const pool = await makePool(
      proxy(),
      { maxOpenConns: 1 },
      {
        acquireTimeoutMs: 3_000,
        beforeConnect: async (target) => {
          attempts += 1;
          target.password = 'wrong';
          if (attempts > 1) await new Promise(() => undefined);
        },
      },
    );
    const [first, second] = await Promise.all([rejection(pool.connect()), rejection(pool.connect())]);
    expect(first.code).toBe('28P01');
    expect(second).toBeInstanceOf(AcquireTimeoutError);
    expect(second.message).toContain('connecting 1');
    expect(second.message).toContain('last connect error 28P01');
    expect(second.cause).toBe(first);
  });

  test('does not report a connect error after a later success', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    await proxy().pause();
    await rejection(pool.connect());
    await proxy().listen();
    const holder = await pool.connect();
    const error = await rejection(pool.connect({ timeoutMs: 30 }));
    expect(error.message).not.toContain('last connect error');
    expect(error.cause).toBeUndefined();
    holder.release();
  });

  test('leaves the queue: the next acquire gets the connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const holder = await pool.connect();
    const impatient = rejection(pool.connect({ timeoutMs: 30 }));
    const patient = pool.connect();
    await impatient;
    expect(pool.waitingCount).toBe(1);
    holder.release();
    (await patient).release();
    expect(pool.idleCount).toBe(1);
  });

  test('is limited by its own timeoutMs instead of the pool’s, and 0 means no limit', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { acquireTimeoutMs: 50 });
    const holder = await pool.connect(PATIENT);
    const unlimited = pool.connect({ timeoutMs: 0 });
    const longer = pool.connect({ timeoutMs: 20_000 });
    await rejection(pool.connect());
    expect(pool.waitingCount).toBe(2);
    holder.release();
    (await unlimited).release();
    (await longer).release();
  });

  test('is refused when its timeoutMs is invalid', async () => {
    const pool = await makePool(server());
    for (const timeoutMs of [-1, NaN, Infinity, 2 ** 31]) {
      expect(await rejection(pool.connect({ timeoutMs }))).toBeInstanceOf(RangeError);
    }
    expect(pool.stat()).toMatchObject({ newConnsCount: 0, canceledAcquireCount: 0 });
  });

  test('rejects in callback form and in pool.query too', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { acquireTimeoutMs: 30 });
    const holder = await pool.connect(PATIENT);
    const inCallback = new Promise((resolve) => {
      pool.connect((error) => resolve(error));
    });
    expect(await inCallback).toBeInstanceOf(AcquireTimeoutError);
    expect(await rejection(pool.query('select 1'))).toBeInstanceOf(AcquireTimeoutError);
    holder.release();
  });
});

describe('a signal', () => {
  test('aborted before the acquire rejects it at once, and no connection is dialled', async () => {
    const pool = await makePool(proxy());
    const reason = new Error('changed my mind');
    expect(await rejection(pool.connect({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(proxy().accepted).toBe(0);
    expect(pool.stat()).toMatchObject({ canceledAcquireCount: 1, totalConns: 0 });
  });

  test('aborted while the acquire waits rejects it with its reason and removes it from the queue', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const holder = await pool.connect();
    const controller = new AbortController();
    const waiting = rejection(pool.connect({ signal: controller.signal }));
    expect(pool.waitingCount).toBe(1);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(pool.stat()).toMatchObject({ canceledAcquireCount: 1 });
    expect(pool.waitingCount).toBe(0);
    holder.release();
    expect(pool.idleCount).toBe(1);
  });

  test('aborted during the dial leaves the new connection to others', async () => {
    const pool = await makePool(proxy());
    const controller = new AbortController();
    const waiting = rejection(pool.connect({ signal: controller.signal }));
    controller.abort();
    expect((await waiting).name).toBe('AbortError');
    await until('the connection is idle', () => pool.idleCount === 1);
    await backendPid(pool);
    expect(proxy().accepted).toBe(1);
  });

  test('aborted after the acquire has no effect, and no listener stays on it', async () => {
    const pool = await makePool(server());
    const controller = new AbortController();
    const cold = await pool.connect({ signal: controller.signal });
    cold.release();
    const client = await pool.connect({ signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    client.release();
  });

  test.each([new AbortController(), 'signal', {}])(
    'given as %s is refused, and no connection is held',
    async (signal) => {
      const pool = await makePool(server(), { maxOpenConns: 1 });
      const held = await pool.connect();
      const error = await rejection(pool.connect({ signal: signal as AbortSignal }));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toBe('signal must be an AbortSignal');
      expect(pool.waitingCount).toBe(0);
      held.release();
      await pool.query('select 1');
    },
  );
});
