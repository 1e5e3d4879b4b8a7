import { METRIC } from '../../../src/telemetry/names.js';
import type { TimeseriesPanel } from '../board.js';
import { PENDING_COLOR } from '../colors.js';
import { quantiles } from '../measures.js';
import { histogram, LABEL, rate, ratio, sum } from '../promql.js';
import {
  ABOUT_POOLS,
  FAILED_SHARES,
  orNoPool,
  queries,
  QUERY_FAILED,
  queryRate,
  SLOW_SECONDS,
} from './measures.js';

/** The properties of a shared panel that each dashboard sets. */
type Own = Pick<TimeseriesPanel, 'id' | 'width' | 'height'>;

const by = [LABEL.job, LABEL.instance, LABEL.pool] as const;
const legend = `{{${LABEL.instance}}} {{${LABEL.pool}}}`;

export function queriesPerSecond(own: Own): TimeseriesPanel {
  return {
    type: 'timeseries',
    title: 'Queries per second',
    says: `Queries by instance and pool. ${ABOUT_POOLS}`,
    todo: 'Compare it with utilization: more queries and more used connections mean load; fewer queries and more used connections mean that something is slow.',
    unit: 'reqps',
    queries: [{ expr: orNoPool(sum(queryRate(), ...by)), legend }],
    ...own,
  };
}

export function queryErrorRatio(own: Own): TimeseriesPanel {
  return {
    type: 'timeseries',
    title: 'Query error ratio',
    says: `Share of queries that failed, by instance and pool; 0 if none did, no data if there were no queries. Queries that their caller aborted do not count as failures. ${ABOUT_POOLS}`,
    todo: 'Errors by SQLSTATE on the dashboard of queries shows the cause: classes 57 and 08 are restarts, 40 can be retried, 42 is an error of the application.',
    unit: 'percentunit',
    queries: [
      { expr: orNoPool(ratio(sum(queryRate(QUERY_FAILED), ...by), sum(queryRate(), ...by))), legend },
    ],
    softMax: 2 * FAILED_SHARES.yellow,
    thresholds: [
      [null, 'green'],
      [FAILED_SHARES.yellow, 'yellow'],
      [FAILED_SHARES.red, 'red'],
    ],
    ...own,
  };
}

export function queryLatency(own: Own): TimeseriesPanel {
  return {
    type: 'timeseries',
    title: 'Query latency p50, p95, p99',
    says: `Time from sending a query to its end, without the wait for a connection. The line is at 500 ms. ${ABOUT_POOLS}`,
    todo: 'If it rises with the hold time, the database or its locks are slow: look for the query in the table of the dashboard of queries. If only the hold time rises, look at the application.',
    unit: 's',
    ...quantiles(rate(queries('bucket'))),
    thresholds: [
      [null, 'green'],
      [SLOW_SECONDS, 'yellow'],
    ],
    ...own,
  };
}

const waiting = sum(rate(histogram(METRIC.waitTime, 'sum')));
const inQueries = sum(rate(queries('sum')));
const together = `(${waiting} + ${inQueries})`;

/** How requests' time is divided between waiting for a connection and waiting for the database. */
export function timeShare(own: Own): TimeseriesPanel {
  return {
    type: 'timeseries',
    title: 'Waiting: for a connection or for the database',
    says: `How the waiting time of requests divides into waiting for a connection and waiting for their queries. No data: no queries are measured. ${ABOUT_POOLS}`,
    todo: 'Mostly for a connection: the pool is the bottleneck, see Saturation on its dashboard. Mostly for the database: a larger pool does not help, look at the slowest queries.',
    unit: 'percentunit',
    max: 1,
    stacked: true,
    queries: [
      { expr: ratio(inQueries, together), legend: 'for the database' },
      { expr: ratio(waiting, together), legend: 'for a connection' },
    ],
    colors: { 'for the database': 'blue', 'for a connection': PENDING_COLOR },
    ...own,
  };
}
