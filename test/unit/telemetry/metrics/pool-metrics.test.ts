import { createNoopMeter, type Meter, metrics } from '@opentelemetry/api';
import { type Histogram } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { AcquireTimeoutError, ConnectTimeoutError } from '../../../../src/errors.js';
import { cleanUp, idleGauges, meterSdk, observed } from '../../../support/telemetry.js';

const P = 'db.client.connection.pool.name';
const STATE = 'db.client.connection.state';
const NAME = 'db.example:5432/shop';

afterEach(cleanUp);

const count = (value: unknown) => (value as Histogram).count;
const sum = (value: unknown) => (value as Histogram).sum;

describe('PoolMetrics', () => {
  it('counts opened and closed connections, and failed logins with their reason', async () => {
    const { meterProvider, value } = meterSdk();
    const { observer, watch } = observed({}, { meterProvider });
    watch(idleGauges());
    observer.connecting(undefined).connected(1);
    observer.connecting(undefined).failed(1, new Error('x'), 'auth', 'auth');
    observer.connecting(undefined).failed(1, new Error('x'), 'dns', undefined);
    observer.closed('lifetime', 1);
    observer.closed('network', 1, new Error('x'));
    observer.closed('network', 1, new Error('x'));
    expect(await value('pgauge.connection.opened')).toBe(1);
    const closed = (reason: string) =>
      value('pgauge.connection.closed', { 'pgauge.connection.close_reason': reason });
    expect(await Promise.all(['auth', 'lifetime', 'network', 'idle'].map(closed))).toEqual([1, 1, 2, 0]);
  });

  it('records each acquire once, failed ones with their error type', async () => {
    const { meterProvider, points, value } = meterSdk();
    const { observer } = observed({}, { meterProvider });
    observer.acquired(2);
    observer.acquireStarted().acquired(40);
    observer.acquireStarted().failed(1000, new AcquireTimeoutError('x'));
    observer.acquireStarted().failed(1000, new ConnectTimeoutError('x'));
    const wait = await points('db.client.connection.wait_time');
    expect(wait.map((point) => point.attributes)).toEqual([
      { [P]: NAME },
      { [P]: NAME, 'error.type': 'acquire_timeout' },
      { [P]: NAME, 'error.type': 'connect_timeout' },
    ]);
    expect(wait.map((point) => count(point.value))).toEqual([2, 1, 1]);
    expect(sum(wait[0]?.value)).toBeCloseTo(0.042, 9);
    expect(sum(await value('db.client.connection.wait_time', { 'error.type': 'acquire_timeout' }))).toBe(1);
  });

  it('records each connection attempt once, a successful one with the pool name only', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer } = observed({}, { meterProvider });
    observer.connecting(undefined).connected(30);
    observer
      .connecting(undefined)
      .failed(10, Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'tcp', undefined);
    const create = await points('db.client.connection.create_time');
    expect(create.map((point) => [point.attributes, sum(point.value)])).toEqual([
      [{ [P]: NAME }, 0.03],
      [{ [P]: NAME, 'error.type': 'ECONNREFUSED' }, 0.01],
    ]);
  });

  it('records how long a connection was used', async () => {
    const { meterProvider, value } = meterSdk();
    const { observer } = observed({}, { meterProvider });
    observer.released(2000);
    expect(await value('db.client.connection.use_time', { [P]: NAME })).toMatchObject({ count: 1, sum: 2 });
  });

  it('records a token refresh with its provider, and its error type if it failed', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer } = observed({}, { meterProvider });
    const source = { provider: 'awsRdsIam', region: 'eu-west-1' };
    await observer.connecting(undefined).token(source, () => Promise.resolve('token'));
    const failing = observer.connecting(undefined).token(source, () => Promise.reject(new TypeError('x')));
    await expect(failing).rejects.toThrow(TypeError);
    const refresh = await points('pgauge.auth.token.refresh.duration');
    expect(refresh.map((point) => [point.attributes, count(point.value)])).toEqual([
      [{ [P]: NAME, 'pgauge.auth.provider.name': 'awsRdsIam' }, 1],
      [{ [P]: NAME, 'pgauge.auth.provider.name': 'awsRdsIam', 'error.type': 'TypeError' }, 1],
    ]);
  });

  it('limits the number of error types of a pool', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer } = observed({}, { meterProvider });
    for (let n = 0; n < 80; n++)
      observer.acquireStarted().failed(1, Object.assign(new Error('x'), { code: `ERR_${n}` }));
    const wait = await points('db.client.connection.wait_time');
    expect(wait).toHaveLength(65);
    expect(wait.map((point) => [point.attributes['error.type'], count(point.value)])).toContainEqual([
      '_OTHER',
      16,
    ]);
  });
});

describe('the meter of a pool', () => {
  it('is the global one, even if its SDK is registered after the pool was created', async () => {
    const { meterProvider, value } = meterSdk();
    const { observer, watch } = observed();
    watch(idleGauges({ idle: 1 }));
    observer.connecting(undefined).connected(1);
    observer.acquired(1);
    metrics.setGlobalMeterProvider(meterProvider);
    observer.acquired(5);
    observer.released(5);
    expect(count(await value('db.client.connection.wait_time'))).toBe(1);
    expect(count(await value('db.client.connection.use_time'))).toBe(1);
    expect(await value('db.client.connection.count', { [STATE]: 'idle' })).toBe(1);
    expect(await value('pgauge.connection.opened')).toBe(1);
  });

  it('changes with the global provider, and the previous meter reports 0', async () => {
    const [before, after] = [meterSdk(), meterSdk()];
    metrics.setGlobalMeterProvider(before.meterProvider);
    const { observer, watch } = observed();
    watch(idleGauges({ idle: 1 }));
    expect(await before.value('db.client.connection.count', { [STATE]: 'idle' })).toBe(1);
    metrics.disable();
    metrics.setGlobalMeterProvider(after.meterProvider);
    observer.acquireStarted().acquired(1);
    expect(await before.value('db.client.connection.count', { [STATE]: 'idle' })).toBe(0);
    expect(await after.value('db.client.connection.count', { [STATE]: 'idle' })).toBe(1);
    expect(count(await after.value('db.client.connection.wait_time'))).toBe(1);
  });

  it('is the one from the options, regardless of the global provider', async () => {
    const [given, global] = [meterSdk(), meterSdk()];
    metrics.setGlobalMeterProvider(global.meterProvider);
    const { observer, watch } = observed({}, { meter: given.meterProvider.getMeter('app') });
    watch(idleGauges());
    observer.acquired(1);
    expect(count(await given.value('db.client.connection.wait_time'))).toBe(1);
    expect(await global.collect()).toEqual([]);
  });

  it('may be a no-op', async () => {
    const { meterProvider, collect } = meterSdk();
    metrics.setGlobalMeterProvider(meterProvider);
    const { observer, watch } = observed({}, { meter: createNoopMeter() });
    watch(idleGauges());
    observer.acquired(1);
    expect(await collect()).toEqual([]);
  });

  it('may throw from every method without failing the pool', () => {
    const thrower = new Proxy({} as Meter, {
      get() {
        throw new Error('broken');
      },
    });
    const throwing = () => {
      throw new Error('broken');
    };
    const histogram = {
      createHistogram: () => ({ record: throwing }),
      addBatchObservableCallback: () => undefined,
    };
    const recordsThrow = new Proxy({} as Meter, {
      get: (_, key): unknown => Reflect.get(histogram, key) ?? (() => ({})),
    });
    for (const meter of [thrower, recordsThrow]) {
      const { observer, watch } = observed({}, { meter });
      expect(() => {
        watch(idleGauges());
        observer.acquired(1);
        observer.released(1);
        observer.acquireStarted().failed(1, new Error('x'));
        observer.connecting(undefined).connected(1);
        observer.closed('idle', 1);
        observer.ended();
      }).not.toThrow();
    }
  });
});
