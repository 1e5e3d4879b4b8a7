import { createNoopMeter, type Meter, metrics } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type Histogram } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { AcquireTimeoutError, ConnectTimeoutError } from '../../../../src/errors.js';
import { LATENCY_BUCKETS, METRIC, SCOPE, USE_BUCKETS } from '../../../../src/telemetry/names.js';
import { CLOSE_REASONS } from '../../../../src/observer.js';
import { cleanUp, idleGauges, meterSdk, observed } from '../../../support/telemetry.js';

const P = 'db.client.connection.pool.name';
const STATE = 'db.client.connection.state';
const NAME = 'db.example:5432/shop';

afterEach(cleanUp);

const count = (value: unknown) => (value as Histogram).count;
const sum = (value: unknown) => (value as Histogram).sum;

/** Every metric that is emitted without credentials, one event each. */
async function everyMetric() {
  const sdk = meterSdk();
  const { observer, watch } = observed({ authProvider: 'awsRdsIam' }, { meterProvider: sdk.meterProvider });
  watch(idleGauges({ idleMin: 1 }));
  observer.acquired(1);
  observer.released(1);
  const attempt = observer.connecting(undefined);
  await attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve('token'));
  attempt.connected(1);
  return sdk;
}

describe('metrics', () => {
  it('have the name, unit, type and buckets of the contract, and the scope of the package', async () => {
    const { collect } = await everyMetric();
    const seen = await collect();
    const table = seen.map(({ descriptor, dataPointType, dataPoints, scope }) => {
      expect(scope).toEqual({ name: 'pgauge', version: SCOPE.version, schemaUrl: SCOPE.schemaUrl });
      const [point] = dataPoints;
      const boundaries =
        typeof point?.value === 'object' && 'buckets' in point.value && 'boundaries' in point.value.buckets
          ? point.value.buckets.boundaries
          : undefined;
      return [descriptor.name, descriptor.unit, DataPointType[dataPointType], boundaries];
    });
    expect(table.sort()).toEqual(
      [
        ['db.client.connection.count', '{connection}', 'SUM', undefined],
        ['db.client.connection.limit', '{connection}', 'SUM', undefined],
        ['db.client.connection.idle.min', '{connection}', 'SUM', undefined],
        ['db.client.connection.pending_requests', '{request}', 'SUM', undefined],
        ['db.client.connection.timeouts', '{timeout}', 'SUM', undefined],
        ['db.client.connection.wait_time', 's', 'HISTOGRAM', [...LATENCY_BUCKETS]],
        ['db.client.connection.create_time', 's', 'HISTOGRAM', [...LATENCY_BUCKETS]],
        ['db.client.connection.use_time', 's', 'HISTOGRAM', [...USE_BUCKETS]],
        ['pgauge.auth.token.refresh.duration', 's', 'HISTOGRAM', [...LATENCY_BUCKETS]],
        ['pgauge.pool.empty_acquires', '{acquire}', 'SUM', undefined],
        ['pgauge.pool.empty_acquire.wait_time', 's', 'SUM', undefined],
        ['pgauge.pool.canceled_acquires', '{acquire}', 'SUM', undefined],
        ['pgauge.pool.longest_use', 's', 'GAUGE', undefined],
        ['pgauge.pool.longest_wait', 's', 'GAUGE', undefined],
        ['pgauge.connection.opened', '{connection}', 'SUM', undefined],
        ['pgauge.connection.closed', '{connection}', 'SUM', undefined],
        ['pgauge.pool.info', '{pool}', 'SUM', undefined],
      ].sort(),
    );
  });

  it('are monotonic where the contract has a counter, and only there', async () => {
    const { collect } = await everyMetric();
    const monotonic = (await collect()).filter((metric) => 'isMonotonic' in metric && metric.isMonotonic);
    const counters = Object.values(METRIC).filter((metric) => metric.instrument === 'ObservableCounter');
    expect(monotonic.map((metric) => metric.descriptor.name).sort()).toEqual(
      counters.map((metric) => metric.name).sort(),
    );
  });

  it('have the buckets of the contract', () => {
    expect(LATENCY_BUCKETS).toEqual([
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]);
    expect(USE_BUCKETS).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300]);
  });

  it('show the numbers of the pool, in seconds where a time', async () => {
    const { meterProvider, value } = meterSdk();
    const gauges = idleGauges({
      used: 3,
      idle: 2,
      connecting: 1,
      limit: 8,
      idleMin: 2,
      pending: 4,
      longestUseMs: 1500,
      longestWaitMs: 250,
      acquireTimeouts: 5,
      emptyAcquires: 6,
      emptyAcquireWaitMs: 7500,
      canceledAcquires: 9,
    });
    observed({}, { meterProvider }).watch(gauges);
    expect(await value('db.client.connection.count', { [STATE]: 'used' })).toBe(3);
    expect(await value('db.client.connection.count', { [STATE]: 'idle' })).toBe(2);
    expect(await value('db.client.connection.count', { [STATE]: 'connecting' })).toBe(1);
    expect(await value('db.client.connection.limit')).toBe(8);
    expect(await value('db.client.connection.idle.min')).toBe(2);
    expect(await value('db.client.connection.pending_requests')).toBe(4);
    expect(await value('pgauge.pool.longest_use')).toBe(1.5);
    expect(await value('pgauge.pool.longest_wait')).toBe(0.25);
    expect(await value('db.client.connection.timeouts')).toBe(5);
    expect(await value('pgauge.pool.empty_acquires')).toBe(6);
    expect(await value('pgauge.pool.empty_acquire.wait_time')).toBe(7.5);
    expect(await value('pgauge.pool.canceled_acquires')).toBe(9);
    gauges.used = 4;
    expect(await value('db.client.connection.count', { [STATE]: 'used' })).toBe(4);
  });

  it('leave out idle.min where there is no minimum', async () => {
    const { meterProvider, points } = meterSdk();
    observed({}, { meterProvider }).watch(idleGauges());
    expect(await points('db.client.connection.idle.min')).toEqual([]);
  });

  it('start every counter at 0, each close reason included', async () => {
    const { meterProvider, points, value } = meterSdk();
    observed({}, { meterProvider }).watch(idleGauges());
    expect(await value('db.client.connection.timeouts')).toBe(0);
    expect(await value('pgauge.connection.opened')).toBe(0);
    expect(await value('pgauge.pool.empty_acquires')).toBe(0);
    const closed = await points('pgauge.connection.closed');
    expect(closed.map((point) => point.attributes['pgauge.connection.close_reason'])).toEqual([
      ...CLOSE_REASONS,
    ]);
    expect(closed.every((point) => point.value === 0 && point.attributes[P] === NAME)).toBe(true);
  });

  it('count opened and closed connections, failed logins with their reason', async () => {
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

  it('record each acquire once, failed ones with their error type', async () => {
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

  it('record each attempt once, a success with the pool name only', async () => {
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

  it('record how long a connection was used', async () => {
    const { meterProvider, value } = meterSdk();
    const { observer } = observed({}, { meterProvider });
    observer.released(2000);
    expect(await value('db.client.connection.use_time', { [P]: NAME })).toMatchObject({ count: 1, sum: 2 });
  });

  it('record a token refresh with its provider, and the type of its failure', async () => {
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

  it('describe the pool in one series', async () => {
    const { meterProvider, points } = meterSdk();
    observed({ authProvider: 'awsRdsIam' }, { meterProvider }).watch(idleGauges());
    expect(await points('pgauge.pool.info')).toMatchObject([
      {
        value: 1,
        attributes: {
          [P]: NAME,
          'server.address': 'db.example',
          'server.port': 5432,
          'db.namespace': 'shop',
          'db.system.name': 'postgresql',
          'pgauge.auth.provider.name': 'awsRdsIam',
          'pgauge.tls.mode': 'verify-full',
        },
      },
    ]);
  });

  it('bound the error types of a pool', async () => {
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

describe('pool names', () => {
  it('tell pools of one address apart, and are free again when a pool has ended', () => {
    const [first, second, third] = [observed(), observed(), observed()];
    expect([first, second, third].map((pool) => pool.poolName)).toEqual([NAME, `${NAME}#2`, `${NAME}#3`]);
    second.observer.ended();
    second.observer.ended();
    expect(observed().poolName).toBe(`${NAME}#2`);
    expect(observed().poolName).toBe(`${NAME}#4`);
  });

  it('are the caller’s where given, and bracket an IPv6 address', () => {
    expect(observed({ poolName: 'orders' }).poolName).toBe('orders');
    expect(observed({ host: '::1' }).poolName).toBe('[::1]:5432/shop');
  });

  it('keep the series of two pools apart', async () => {
    const { meterProvider, value } = meterSdk();
    observed({ poolName: 'a' }, { meterProvider }).watch(idleGauges({ used: 1 }));
    observed({ poolName: 'a' }, { meterProvider }).watch(idleGauges({ used: 2 }));
    expect(await value('db.client.connection.count', { [P]: 'a', [STATE]: 'used' })).toBe(1);
    expect(await value('db.client.connection.count', { [P]: 'a#2', [STATE]: 'used' })).toBe(2);
  });

  it('show the living pool where it took over the name of an ended one', async () => {
    const { meterProvider, value } = meterSdk();
    const first = observed({}, { meterProvider });
    first.watch(idleGauges({ used: 5 }));
    first.observer.ended();
    observed({}, { meterProvider }).watch(idleGauges({ used: 2 }));
    expect(await value('db.client.connection.count', { [STATE]: 'used' })).toBe(2);
    expect(await value('pgauge.pool.info')).toBe(1);
    expect(await value('db.client.connection.count', { [STATE]: 'used' })).toBe(2);
  });
});

describe('an ended pool', () => {
  it('shows 0 and its final counters once, and is not read again', async () => {
    const { meterProvider, collect, value } = meterSdk();
    let reads = 0;
    const gauges = idleGauges({
      used: 5,
      limit: 8,
      idleMin: 2,
      pending: 1,
      longestUseMs: 1,
      longestWaitMs: 1,
    });
    Object.defineProperty(gauges, 'used', { get: () => ++reads });
    const { observer, watch } = observed({}, { meterProvider });
    watch(gauges);
    observer.connecting(undefined).connected(1);
    await collect();
    expect(reads).toBe(1);
    gauges.acquireTimeouts = 3;
    gauges.emptyAcquireWaitMs = 1500;
    observer.closed('pool_end', 1);
    observer.ended();
    // Twice, as the SDK repeats the last value it saw.
    for (let n = 0; n < 2; n++) {
      for (const state of ['used', 'idle', 'connecting'])
        expect(await value('db.client.connection.count', { [STATE]: state })).toBe(0);
      expect(await value('db.client.connection.limit')).toBe(0);
      expect(await value('db.client.connection.idle.min')).toBe(0);
      expect(await value('db.client.connection.pending_requests')).toBe(0);
      expect(await value('pgauge.pool.longest_use')).toBe(0);
      expect(await value('pgauge.pool.longest_wait')).toBe(0);
      expect(await value('pgauge.pool.info')).toBe(0);
      expect(await value('db.client.connection.timeouts')).toBe(3);
      expect(await value('pgauge.pool.empty_acquire.wait_time')).toBe(1.5);
      expect(await value('pgauge.connection.opened')).toBe(1);
      expect(await value('pgauge.connection.closed', { 'pgauge.connection.close_reason': 'pool_end' })).toBe(
        1,
      );
    }
    expect(reads).toBe(1);
  });

  it('is observed once more and then no longer', async () => {
    // Deltas tell what was observed from what the SDK repeats.
    const { meterProvider, points } = meterSdk(AggregationTemporality.DELTA);
    const { observer, watch } = observed({}, { meterProvider });
    watch(idleGauges());
    const observations = async () => (await points('pgauge.pool.info')).length;
    expect([await observations(), await observations()]).toEqual([1, 1]);
    observer.ended();
    expect([await observations(), await observations()]).toEqual([1, 0]);
  });

  it('is not observed when it is watched after its end', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer, watch } = observed({}, { meterProvider });
    observer.ended();
    watch(idleGauges());
    expect(await points('pgauge.pool.info')).toEqual([]);
  });

  it('does not join a provider that is registered later', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer, watch } = observed();
    watch(idleGauges());
    observer.ended();
    metrics.setGlobalMeterProvider(meterProvider);
    observer.acquired(1);
    expect(await points('db.client.connection.count')).toEqual([]);
  });
});

describe('the meter', () => {
  it('is the global one also when its SDK is registered late', async () => {
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

  it('follows the global one from provider to provider and leaves 0 behind', async () => {
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

  it('is the given one whatever is registered', async () => {
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

  it('has one batch callback however many pools report to it', () => {
    const meter = meterSdk().meterProvider.getMeter('app');
    let added = 0;
    const counting: Meter = Object.assign(Object.create(meter) as Meter, {
      addBatchObservableCallback: (...args: Parameters<Meter['addBatchObservableCallback']>) => {
        added++;
        meter.addBatchObservableCallback(...args);
      },
    });
    for (let n = 0; n < 3; n++) observed({}, { meter: counting }).watch(idleGauges());
    expect(added).toBe(1);
  });

  it('never sees one pool’s trouble hide another', async () => {
    const { meterProvider, points } = meterSdk();
    const broken = Object.defineProperty(idleGauges(), 'used', {
      get() {
        throw new Error('broken');
      },
    });
    observed({ poolName: 'broken' }, { meterProvider }).watch(broken);
    observed({ poolName: 'whole' }, { meterProvider }).watch(idleGauges());
    const names = (await points('db.client.connection.limit')).map((point) => point.attributes[P]);
    expect(names).toEqual(['whole']);
  });

  it('may throw at everything without a caller noticing', () => {
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
