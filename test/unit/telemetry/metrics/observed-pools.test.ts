import { metrics } from '@opentelemetry/api';
import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { CLOSE_REASONS } from '../../../../src/observer.js';
import { cleanUp, HOST_GAUGES, idleGauges, meterSdk, observed } from '../../../support/telemetry.js';

const P = 'db.client.connection.pool.name';
const STATE = 'db.client.connection.state';
const NAME = 'db.example:5432/shop';

afterEach(cleanUp);

describe('the observables of a pool', () => {
  it('report the gauges of the pool, times in seconds', async () => {
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

  it('count the connections to each of several hosts, and report none for a single host', async () => {
    const { meterProvider, points } = meterSdk();
    const { watch, observer } = observed({ poolName: 'several' }, { meterProvider });
    watch(idleGauges({ hosts: HOST_GAUGES }));
    observed({ poolName: 'one' }, { meterProvider }).watch(idleGauges());
    const seen = async () =>
      (await points('pgauge.pool.host.connections')).map(({ attributes, value }) => [
        attributes[P],
        attributes['server.address'],
        attributes['server.port'],
        value,
      ]);
    expect(await seen()).toEqual([
      ['several', 'a.example', 5432, 3],
      ['several', 'b.example', 5433, 0],
    ]);
    observer.ended();
    expect(await seen()).toEqual([
      ['several', 'a.example', 5432, 0],
      ['several', 'b.example', 5433, 0],
    ]);
  });

  it('leave out idle.min without a minimum', async () => {
    const { meterProvider, points } = meterSdk();
    observed({}, { meterProvider }).watch(idleGauges());
    expect(await points('db.client.connection.idle.min')).toEqual([]);
  });

  it('start every counter at 0, including every close reason', async () => {
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

  it('are separate series for two pools with the same configured name', async () => {
    const { meterProvider, value } = meterSdk();
    observed({ poolName: 'a' }, { meterProvider }).watch(idleGauges({ used: 1 }));
    observed({ poolName: 'a' }, { meterProvider }).watch(idleGauges({ used: 2 }));
    expect(await value('db.client.connection.count', { [P]: 'a', [STATE]: 'used' })).toBe(1);
    expect(await value('db.client.connection.count', { [P]: 'a#2', [STATE]: 'used' })).toBe(2);
  });

  it('show the new pool if it has the name of an ended one', async () => {
    const { meterProvider, value } = meterSdk();
    const first = observed({}, { meterProvider });
    first.watch(idleGauges({ used: 5 }));
    first.observer.ended();
    observed({}, { meterProvider }).watch(idleGauges({ used: 2 }));
    expect(await value('db.client.connection.count', { [STATE]: 'used' })).toBe(2);
    expect(await value('pgauge.pool.info')).toBe(1);
    expect(await value('db.client.connection.count', { [STATE]: 'used' })).toBe(2);
  });

  it('are reported for the other pools if one pool cannot be read', async () => {
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
});

describe('the observables of an ended pool', () => {
  it('report 0 and the final counters once and do not read the pool again', async () => {
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
    // Collect twice, because the SDK repeats the last value it saw.
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

  it('are observed once more and then no longer', async () => {
    // Deltas distinguish observed values from those that the SDK repeats.
    const { meterProvider, points } = meterSdk(AggregationTemporality.DELTA);
    const { observer, watch } = observed({}, { meterProvider });
    watch(idleGauges());
    const observations = async () => (await points('pgauge.pool.info')).length;
    expect([await observations(), await observations()]).toEqual([1, 1]);
    observer.ended();
    expect([await observations(), await observations()]).toEqual([1, 0]);
  });

  it('are not observed if the pool is watched after its end', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer, watch } = observed({}, { meterProvider });
    observer.ended();
    watch(idleGauges());
    expect(await points('pgauge.pool.info')).toEqual([]);
  });

  it('do not move to a provider that is registered later', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer, watch } = observed();
    watch(idleGauges());
    observer.ended();
    metrics.setGlobalMeterProvider(meterProvider);
    observer.acquired(1);
    expect(await points('db.client.connection.count')).toEqual([]);
  });
});
