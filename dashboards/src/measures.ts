import { METRIC } from '../../src/telemetry/names.js';
import type { TimeseriesPanel } from './board.js';
import { QUANTILE_COLORS } from './colors.js';
import { is, LABEL, min, POOL, quantile, series, sum } from './promql.js';

/** Used connections against the limit, by pool and instance; a pool that has ended has the limit 0 and no utilization. */
export function utilization(used: (selector: string) => string): string {
  const connections = series(METRIC.connectionCount, is(LABEL.state, 'used'));
  return `${sum(used(connections), ...POOL)} / (${sum(series(METRIC.connectionLimit), ...POOL)} > 0)`;
}

/** The usual three, in the usual colours. */
export function quantiles(buckets: string): Pick<TimeseriesPanel, 'queries' | 'colors'> {
  return {
    queries: [
      { expr: quantile(0.5, buckets), legend: 'p50' },
      { expr: quantile(0.95, buckets), legend: 'p95' },
      { expr: quantile(0.99, buckets), legend: 'p99' },
    ],
    colors: QUANTILE_COLORS,
  };
}

/** The usual three, of each provider. */
export function quantilesByProvider(buckets: string): Pick<TimeseriesPanel, 'queries'> {
  return {
    queries: ([50, 95, 99] as const).map((percent) => ({
      expr: quantile(percent / 100, buckets, LABEL.provider),
      legend: `{{${LABEL.provider}}} p${percent}`,
    })),
  };
}

/** Until the first credentials of the selection end. Those that no longer end say 0 and do not count. */
export function credentialsValidFor(...by: readonly string[]): string {
  return `clamp_min(${min(`${series(METRIC.credentialsExpiration)} > 0`, ...by)} - time(), 0)`;
}
