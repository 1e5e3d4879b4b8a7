import { METRIC } from '../../src/telemetry/names.js';
import type { TimeseriesPanel } from './board.js';
import { QUANTILE_COLORS } from './colors.js';
import { is, LABEL, min, POOL, quantile, series, sum } from './promql.js';

/** Used connections relative to the limit, by pool and instance; an ended pool has the limit 0 and no utilization. */
export function utilization(used: (selector: string) => string): string {
  const connections = series(METRIC.connectionCount, is(LABEL.state, 'used'));
  return `${sum(used(connections), ...POOL)} / (${sum(series(METRIC.connectionLimit), ...POOL)} > 0)`;
}

/** The three usual quantiles in their colours. */
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

/** The three usual quantiles per provider. */
export function quantilesByProvider(buckets: string): Pick<TimeseriesPanel, 'queries'> {
  return {
    queries: ([50, 95, 99] as const).map((percent) => ({
      expr: quantile(percent / 100, buckets, LABEL.provider),
      legend: `{{${LABEL.provider}}} p${percent}`,
    })),
  };
}

/** Time until the first credentials of the selection expire; ignores those that no longer expire, whose value is 0. */
export function credentialsValidFor(...by: readonly string[]): string {
  return `clamp_min(${min(`${series(METRIC.credentialsExpiration)} > 0`, ...by)} - time(), 0)`;
}
