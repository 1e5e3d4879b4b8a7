import type { Meter, MetricOptions, Observable } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import { METRIC } from '../names.js';

/** The instruments of one meter that are read at collection. */
export type Observables = ReturnType<typeof createObservables>;

/** Creates all observable instruments of a meter. */
export function createObservables(meter: Meter) {
  type Metric = (typeof METRIC)[keyof typeof METRIC];
  const options = ({ unit, description }: Metric): MetricOptions => ({
    unit,
    description,
    valueType: unit === 's' ? ValueType.DOUBLE : ValueType.INT,
  });
  const upDown = (metric: Metric): Observable =>
    meter.createObservableUpDownCounter(metric.name, options(metric));
  const counter = (metric: Metric): Observable => meter.createObservableCounter(metric.name, options(metric));
  const gauge = (metric: Metric): Observable => meter.createObservableGauge(metric.name, options(metric));
  return {
    connectionCount: upDown(METRIC.connectionCount),
    connectionLimit: upDown(METRIC.connectionLimit),
    connectionIdleMin: upDown(METRIC.connectionIdleMin),
    pendingRequests: upDown(METRIC.pendingRequests),
    timeouts: counter(METRIC.timeouts),
    emptyAcquires: counter(METRIC.emptyAcquires),
    emptyAcquireWaitTime: counter(METRIC.emptyAcquireWaitTime),
    canceledAcquires: counter(METRIC.canceledAcquires),
    rejectedAcquires: counter(METRIC.rejectedAcquires),
    pipelined: upDown(METRIC.pipelined),
    unreachable: gauge(METRIC.unreachable),
    hostConnections: upDown(METRIC.hostConnections),
    credentialsExpiration: gauge(METRIC.credentialsExpiration),
    longestUse: gauge(METRIC.longestUse),
    longestWait: gauge(METRIC.longestWait),
    connectionOpened: counter(METRIC.connectionOpened),
    connectionClosed: counter(METRIC.connectionClosed),
    queryCanceled: counter(METRIC.queryCanceled),
    poolInfo: upDown(METRIC.poolInfo),
  };
}
