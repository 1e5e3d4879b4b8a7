import { type Meter } from '@opentelemetry/api';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import {
  LATENCY_BUCKETS,
  METRIC,
  OPERATION_BUCKETS,
  ROW_BUCKETS,
  SCOPE,
  USE_BUCKETS,
} from '../../../../src/telemetry/names.js';
import {
  cleanUp,
  HOST_GAUGES,
  idleGauges,
  meterSdk,
  measured,
  observed,
  SESSION,
} from '../../../support/telemetry.js';

afterEach(cleanUp);

/** Reports one event for each metric that does not need credentials. */
async function everyMetric() {
  const sdk = meterSdk();
  const { observer, watch } = observed(
    { authProvider: 'awsRdsIam' },
    { meterProvider: sdk.meterProvider, queryTelemetry: measured({ rows: true }) },
  );
  watch(idleGauges({ idleMin: 1, hosts: HOST_GAUGES }));
  observer.acquired(1);
  observer.released(1);
  observer
    .session?.(SESSION)
    .started({ text: 'select 1', name: undefined, parameterized: false })
    .completed(1);
  const attempt = observer.connecting(undefined);
  await attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve('token'));
  attempt.connected(1);
  return sdk;
}

describe('the instruments of a meter', () => {
  it('have the documented names, units, types and buckets, and the scope of the package', async () => {
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
        ['db.client.operation.duration', 's', 'HISTOGRAM', [...OPERATION_BUCKETS]],
        ['db.client.response.returned_rows', '{row}', 'HISTOGRAM', [...ROW_BUCKETS]],
        ['pgauge.auth.token.refresh.duration', 's', 'HISTOGRAM', [...LATENCY_BUCKETS]],
        ['pgauge.pool.empty_acquires', '{acquire}', 'SUM', undefined],
        ['pgauge.pool.empty_acquire.wait_time', 's', 'SUM', undefined],
        ['pgauge.pool.canceled_acquires', '{acquire}', 'SUM', undefined],
        ['pgauge.pool.rejected_acquires', '{acquire}', 'SUM', undefined],
        ['pgauge.pool.pipelined', '{query}', 'SUM', undefined],
        ['pgauge.pool.unreachable', '{outage}', 'GAUGE', undefined],
        ['pgauge.pool.host.connections', '{connection}', 'SUM', undefined],
        ['pgauge.pool.longest_use', 's', 'GAUGE', undefined],
        ['pgauge.pool.longest_wait', 's', 'GAUGE', undefined],
        ['pgauge.connection.opened', '{connection}', 'SUM', undefined],
        ['pgauge.connection.closed', '{connection}', 'SUM', undefined],
        ['pgauge.query.canceled', '{query}', 'SUM', undefined],
        ['pgauge.pool.info', '{pool}', 'SUM', undefined],
      ].sort(),
    );
  });

  it('are monotonic exactly where the documentation has a counter', async () => {
    const { collect } = await everyMetric();
    const monotonic = (await collect()).filter((metric) => 'isMonotonic' in metric && metric.isMonotonic);
    const counters = Object.values(METRIC).filter((metric) => metric.instrument === 'ObservableCounter');
    expect(monotonic.map((metric) => metric.descriptor.name).sort()).toEqual(
      counters.map((metric) => metric.name).sort(),
    );
  });

  it('have the documented bucket boundaries', () => {
    expect(LATENCY_BUCKETS).toEqual([
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]);
    expect(USE_BUCKETS).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300]);
    expect(OPERATION_BUCKETS).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]);
    expect(ROW_BUCKETS).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]);
  });

  it('share one batch callback among all pools of the meter', () => {
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
});
