import { DataPointType, MetricReader, type MetricData } from '@opentelemetry/sdk-metrics';
import { ATTR, METRIC } from '../../src/telemetry/names.js';
import { NO_BUCKETS, plus, type Buckets } from '../../src/watch/quantiles.js';

/** The metrics of a pool at one moment. */
export interface Reading {
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  readonly limit: number;
  /** The number of waiting acquirers. */
  readonly pending: number;
  /** `db.client.connection.wait_time`, cumulative: all acquires, including failed ones. */
  readonly waits: Buckets;
  /** `pgauge.auth.token.refresh.duration`, cumulative. */
  readonly tokens: Buckets;
}

/** Reads the metrics as an exporter would, but within the process. */
export class PoolReader extends MetricReader {
  /** The pool's current numbers; zeros while there is no pool. */
  async read(): Promise<Reading> {
    const { resourceMetrics } = await this.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const find = (name: string) => metrics.find(({ descriptor }) => descriptor.name === name);
    const count = (state: string) => sum(find(METRIC.connectionCount.name), ATTR.connectionState, state);
    return {
      used: count('used'),
      idle: count('idle'),
      connecting: count('connecting'),
      limit: sum(find(METRIC.connectionLimit.name)),
      pending: sum(find(METRIC.pendingRequests.name)),
      waits: buckets(find(METRIC.waitTime.name)),
      tokens: buckets(find(METRIC.tokenRefreshDuration.name)),
    };
  }

  protected override async onForceFlush(): Promise<void> {
    // Nothing is buffered.
  }

  protected override async onShutdown(): Promise<void> {
    // Nothing is open.
  }
}

function sum(metric: MetricData | undefined, attribute?: string, value?: string): number {
  if (metric?.dataPointType !== DataPointType.SUM) return 0;
  return metric.dataPoints
    .filter(({ attributes }) => attribute === undefined || attributes[attribute] === value)
    .reduce((total, point) => total + point.value, 0);
}

function buckets(metric: MetricData | undefined): Buckets {
  if (metric?.dataPointType !== DataPointType.HISTOGRAM) return NO_BUCKETS;
  return metric.dataPoints.map(({ value }) => value.buckets).reduce(plus, NO_BUCKETS);
}
