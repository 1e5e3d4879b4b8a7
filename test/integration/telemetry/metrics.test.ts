import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PoolOptions } from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { series, sumOf } from '../../support/series.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { cleanUp, meterSdk } from '../../support/telemetry.js';

const rds = useLocalRds();
useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);

const P = 'orders';
const COUNT = 'db.client.connection.count';
let sdk: ReturnType<typeof meterSdk>;
let measured: PoolOptions;
beforeEach(() => {
  sdk = meterSdk();
  measured = { meterProvider: sdk.meterProvider, poolName: P };
});
afterEach(() => {
  rds().gate.set({ rejectTokens: false });
  cleanUp();
});
const of = (name: string): Promise<Record<string, number>> => series(sdk.points, name, P);

describe('the state of a pool', () => {
  test('is reported by its metrics at every step, and adds up to totalCount', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const pool = await makePool(
      { maxOpenConns: 2 },
      // A connection whose afterConnect has not ended still counts as connecting.
      { ...measured, afterConnect: () => held },
    );
    const state = async () => {
      const { used, idle, connecting } = (await of(COUNT)) as {
        used: number;
        idle: number;
        connecting: number;
      };
      const stat = pool.stat();
      expect({ used, idle, connecting }).toEqual({
        used: stat.acquiredConns,
        idle: stat.idleConns,
        connecting: stat.constructingConns,
      });
      expect(used + idle + connecting).toBe(pool.totalCount);
      const [pending] = Object.values(await of('db.client.connection.pending_requests'));
      expect(pending).toBe(pool.waitingCount);
      return { used, idle, connecting, pending };
    };
    expect(await state()).toEqual({ used: 0, idle: 0, connecting: 0, pending: 0 });
    expect(await of('db.client.connection.limit')).toEqual({ '': 2 });
    expect(await of('db.client.connection.timeouts')).toEqual({ '': 0 });
    expect(await of('db.client.connection.idle.min')).toEqual({});

    const acquires = [pool.connect(), pool.connect(), pool.connect()];
    expect(await state()).toEqual({ used: 0, idle: 0, connecting: 2, pending: 3 });
    letGo();
    const [first, second] = await Promise.all(acquires.slice(0, 2));
    expect(await state()).toEqual({ used: 2, idle: 0, connecting: 0, pending: 1 });
    first?.release();
    const third = await acquires[2];
    expect(await state()).toEqual({ used: 2, idle: 0, connecting: 0, pending: 0 });
    third?.release();
    expect(await state()).toEqual({ used: 1, idle: 1, connecting: 0, pending: 0 });
    second?.release(true);
    expect(await state()).toEqual({ used: 0, idle: 1, connecting: 0, pending: 0 });

    await pool.end();
    expect(await state()).toEqual({ used: 0, idle: 0, connecting: 0, pending: 0 });
    expect(await of('db.client.connection.limit')).toEqual({ '': 0 });
  });

  test('includes minConns if it is set', async () => {
    const pool = await makePool({ minConns: 2 }, measured);
    expect(await of('db.client.connection.idle.min')).toEqual({ '': 2 });
    await until('the pool is warm', () => pool.idleCount === 2);
    // The warm-up opens connections without an acquire.
    expect(await of('db.client.connection.create_time')).toEqual({ '': 2 });
    expect(await of('db.client.connection.wait_time')).toEqual({});
    expect(await of('pgauge.auth.token.refresh.duration')).toEqual({ awsRdsIam: 2 });
  });
});

describe('the events of a pool', () => {
  test('are each counted once', async () => {
    const pool = await makePool({ maxOpenConns: 2 }, measured);
    const startedAt = performance.now();
    // Two acquires with a dial each, and one more that finds no slot in time.
    const [one, two] = await Promise.all([pool.connect(), pool.connect()]);
    const late = await rejection(pool.connect({ timeoutMs: 30 }));
    expect(late).toMatchObject({ code: 'ERR_PGAUGE_ACQUIRE_TIMEOUT' });
    one.release();
    // Five that reuse a connection, one after another.
    for (let n = 0; n < 5; n += 1) await pool.query('select 1');
    // One by callback, and one whose query fails.
    await new Promise<void>((resolve) => {
      pool.connect((_error, _client, done) => {
        done();
        resolve();
      });
    });
    expect(await rejection(pool.query('select 1/0'))).toMatchObject({ code: '22012' });
    // The query fails before the server is ready for the next one: until then an acquire would have to wait.
    await until('the connection of the failed query is idle', () => pool.idleCount === 1);
    // One that is aborted in the queue.
    const other = await pool.connect();
    const caller = new AbortController();
    const aborted = rejection(pool.connect({ signal: caller.signal }));
    caller.abort(new TypeError('changed my mind'));
    await aborted;
    // One connection is closed, and the login of the next is rejected.
    two.release(true);
    rds().gate.set({ rejectTokens: true });
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' });
    other.release();

    const [successes, attempts] = [2 + 5 + 1 + 1 + 1, 3];
    expect(await of('db.client.connection.wait_time')).toEqual({
      '': successes,
      acquire_timeout: 1,
      TypeError: 1,
      28000: 1,
    });
    expect(await of('db.client.connection.create_time')).toEqual({ '': 2, 28000: 1 });
    expect(await of('db.client.connection.use_time')).toEqual({ '': successes });
    expect(await of('db.client.connection.timeouts')).toEqual({ '': 1 });
    expect(await of('pgauge.auth.token.refresh.duration')).toEqual({ awsRdsIam: attempts });
    expect(await of('pgauge.connection.opened')).toEqual({ '': 2 });
    expect(await of('pgauge.connection.closed')).toMatchObject({
      released_with_error: 1,
      auth: 1,
      tx_open: 0,
    });
    expect(await of('pgauge.pool.empty_acquires')).toEqual({ '': 2 });
    expect(await of('pgauge.pool.canceled_acquires')).toEqual({ '': 2 });

    const stat = pool.stat();
    expect(stat).toMatchObject({
      acquireCount: successes,
      canceledAcquireCount: 2,
      emptyAcquireCount: 2,
      newConnsCount: attempts,
      totalConns: 1,
    });
    // The same times in both places, and none longer than the test.
    const waited = await sumOf(sdk.points, 'db.client.connection.wait_time', P);
    expect(waited * 1_000).toBeCloseTo(stat.acquireDurationMs, 3);
    expect((await of('pgauge.pool.empty_acquire.wait_time'))['']).toBeCloseTo(
      stat.emptyAcquireWaitTimeMs / 1_000,
      6,
    );
    const created = await sumOf(sdk.points, 'db.client.connection.create_time', P);
    expect(created).toBeGreaterThan(0);
    expect(created).toBeLessThan(((performance.now() - startedAt) * 2) / 1_000);
  });

  test('after a failed token have its error type everywhere', async () => {
    setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    const pool = await makePool({}, measured);
    await rejection(pool.query('select 1'));
    const type = 'CredentialsProviderError';
    expect(await of('pgauge.auth.token.refresh.duration')).toEqual({ [`${type} awsRdsIam`]: 1 });
    expect(await of('db.client.connection.create_time')).toEqual({ [type]: 1 });
    expect(await of('db.client.connection.wait_time')).toEqual({ [type]: 1 });
    expect(await of('db.client.connection.use_time')).toEqual({});
    const { fields } = pool.log.named('postgres token refresh failed')[0] ?? {};
    expect(fields).toMatchObject({ error_type: type });
  });

  test('on a pool without dynamicAuth include no token refresh', async () => {
    await rds().createUser('plain', { password: 'plain' });
    const pool = await makePool({ dynamicAuth: undefined, user: 'plain', password: 'plain' }, measured);
    await pool.query('select 1');
    expect(await of('pgauge.auth.token.refresh.duration')).toEqual({});
    expect(await of('db.client.connection.create_time')).toEqual({ '': 1 });
  });
});

describe('the series of two pools', () => {
  test('are distinct, with a suffix to a shared name', async () => {
    const [one, two] = [await makePool({}, measured), await makePool({}, measured)];
    await one.query('select 1');
    for (const client of await Promise.all([two.connect(), two.connect()])) client.release();
    const created = (name: string) => series(sdk.points, 'db.client.connection.create_time', name);
    expect(await created(P)).toEqual({ '': 1 });
    expect(await created(`${P}#2`)).toEqual({ '': 2 });
    await one.end();
    const again = await makePool({}, measured);
    await again.query('select 1');
    expect(await created(P)).toEqual({ '': 2 });
  });

  test('are named after host, port and database if no name is given', async () => {
    const pool = await makePool({}, { meterProvider: sdk.meterProvider });
    const name = `${rds().host}:${rds().port}/${rds().database}`;
    expect(await series(sdk.points, 'db.client.connection.limit', name)).toEqual({ '': 10 });
    expect(await series(sdk.points, 'pgauge.pool.info', name)).toEqual({
      [`postgresql ${rds().database} ${rds().host} ${rds().port} awsRdsIam require`]: 1,
    });
    await pool.end();
  });
});
