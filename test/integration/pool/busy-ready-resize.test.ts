import { beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, PoolBusyError } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeEach(() => proxy().clear());

describe('maxPending', () => {
  test('refuses one acquire too many, in every form, but none that an idle connection can serve', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { maxPending: 2 });
    const client = await pool.connect();
    const waiting = [pool.query('select 1'), pool.query('select 2')];
    expect(await rejection(pool.connect())).toBeInstanceOf(PoolBusyError);
    expect(await rejection(pool.query('select 3'))).toMatchObject({ code: 'ERR_PGAUGE_POOL_BUSY' });
    let told: unknown;
    pool.connect((error) => (told = error));
    expect(told).toBeUndefined();
    await until('the callback is told', () => told instanceof PoolBusyError);
    expect(pool.gauges).toMatchObject({ rejectedAcquires: 3, canceledAcquires: 0, pending: 2 });
    client.release();
    await Promise.all(waiting);
    await pool.query('select 4');
    expect(pool.waitingCount).toBe(0);
  });
});

describe('ready()', () => {
  test('resolves when one connection is open, or as many as minConns', async () => {
    const pool = await makePool(server(), { maxOpenConns: 5 });
    await pool.ready();
    expect(pool.idleCount).toBe(1);
    await pool.ready({ minConns: 4 });
    expect(pool.totalCount).toBe(4);
    const filled = await makePool(server(), { maxOpenConns: 5, minConns: 3 });
    await filled.ready();
    expect(filled.totalCount).toBe(3);
  });

  test('waits through an outage without connectRetryMs', async () => {
    await proxy().pause();
    const pool = await makePool(proxy(), {});
    const ready = pool.ready({ minConns: 2 });
    await until('an attempt has failed', () => pool.gauges.unreachable);
    await proxy().listen();
    await ready;
    expect([pool.idleCount, pool.gauges.unreachable]).toEqual([2, false]);
  });

  test('rejects with the error of a rejected login, with the reason of its signal, and when the pool ends', async () => {
    const wrong = await makePool(server(), { password: 'wrong' });
    expect((await rejection(wrong.ready())).code).toBe('28P01');
    await proxy().pause();
    const pool = await makePool(proxy(), {});
    const controller = new AbortController();
    const aborted = rejection(pool.ready({ signal: controller.signal }));
    const ended = rejection(pool.ready());
    controller.abort(new Error('too late'));
    expect((await aborted).message).toBe('too late');
    await pool.end();
    expect((await ended).code).toBe('ERR_PGAUGE_POOL_ENDED');
    expect((await rejection(pool.ready())).code).toBe('ERR_PGAUGE_POOL_ENDED');
    await proxy().listen();
  });

  test('refuses a minConns that cannot be reached, and an invalid signal', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 });
    for (const minConns of [0, 3, 1.5, Number.NaN]) {
      expect(await rejection(pool.ready({ minConns }))).toBeInstanceOf(RangeError);
    }
    expect(await rejection(pool.ready({ signal: 'no' as never }))).toBeInstanceOf(TypeError);
    expect(pool.totalCount).toBe(0);
  });
});

describe('resize()', () => {
  test('to a larger size serves waiting acquires at once; stat, options and gauges follow', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const first = await pool.connect();
    const others = [pool.connect(), pool.connect()];
    pool.resize({ maxOpenConns: 3, minConns: 1 });
    const clients = await Promise.all(others);
    expect(pool.stat()).toMatchObject({ maxConns: 3, acquiredConns: 3 });
    expect(pool.options).toMatchObject({ max: 3, min: 1 });
    expect(pool.gauges).toMatchObject({ limit: 3, idleMin: 1 });
    for (const client of [first, ...clients]) client.release();
  });

  test('to a smaller size closes idle connections at once, and others when they are released', async () => {
    const pool = await makePool(server(), { maxOpenConns: 4 });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect(), pool.connect()]);
    clients[0].release();
    pool.resize({ maxOpenConns: 1 });
    expect(pool.stat()).toMatchObject({ totalConns: 3, idleConns: 0, maxConns: 1 });
    const waiting = pool.query('select 1');
    clients[1].release();
    clients[2].release();
    expect(pool.totalCount).toBe(1);
    clients[3].release();
    await waiting;
    expect(pool.stat()).toMatchObject({ totalConns: 1, maxLifetimeDestroyCount: 0, maxIdleDestroyCount: 0 });
  });

  test('to a larger minimum fills the pool, and an invalid size throws ConfigError', async () => {
    const pool = await makePool(server(), { maxOpenConns: 4 });
    pool.resize({ minConns: 2 });
    await until('the minimum is there', () => pool.idleCount === 2);
    const refused: unknown[] = [{ minConns: 5 }, { maxOpenConns: 1 }, { maxOpenConns: -1 }, { max: 3 }, null];
    for (const size of refused) expect(() => pool.resize(size as never)).toThrow(ConfigError);
    expect(pool.options).toMatchObject({ max: 4, min: 2 });
    pool.resize({ maxOpenConns: 0, minConns: 0 });
    expect(pool.options).toMatchObject({ max: 10, min: 0 });
  });
});
