import { METRIC } from '../../../src/telemetry/names.js';
import { slowQueries } from '../alerts.js';
import type { Row } from '../board.js';
import { events, increase, max, quantile, ratio, series, sum, WHOLE_RANGE } from '../promql.js';
import { alertsTimeline, firingAlertsStat } from '../shared-stats.js';
import { ABOUT_POOLS, FAILED_SHARES, queries, QUERY_FAILED, SLOW_BUDGET, SLOW_SECONDS } from './measures.js';

const size = { width: 5, height: 4 } as const;

const counted = (...matchers: string[]): string => sum(events(queries('count', ...matchers), WHOLE_RANGE));

export const healthy: Row = {
  id: 100,
  title: 'Healthy?',
  panels: [
    {
      type: 'stat',
      id: 101,
      title: 'Query p99',
      says: `The time within which 99 % of the queries in the time range ended, failures included. No data: there were none. ${ABOUT_POOLS}`,
      todo: 'Look for the slowest query in the table below. If all are slower than usual, the cause is the database, its locks or the network.',
      unit: 's',
      query: {
        expr: quantile(0.99, increase(queries('bucket'), WHOLE_RANGE)),
        legend: 'p99',
        instant: true,
      },
      thresholds: [
        [null, 'green'],
        [SLOW_SECONDS, 'yellow'],
        [5, 'red'],
      ],
      ...size,
    },
    {
      type: 'stat',
      id: 102,
      title: 'Failed queries',
      says: `Share of the queries within the time range that failed; queries that their caller aborted do not count. ${ABOUT_POOLS}`,
      todo: 'Errors by SQLSTATE shows the cause, the table below the query.',
      unit: 'percentunit',
      query: { expr: ratio(counted(QUERY_FAILED), counted()), legend: 'failed', instant: true },
      thresholds: [
        [null, 'green'],
        [FAILED_SHARES.yellow, 'yellow'],
        [FAILED_SHARES.red, 'red'],
      ],
      ...size,
    },
    {
      type: 'stat',
      id: 103,
      title: 'Slow queries of the last hour',
      says: 'Share of the queries of the last hour that took longer than 500 ms, in the pool with the largest share; the objective allows 1 %. No data: Prometheus has not loaded the rules, or there were no queries.',
      todo: 'Above 1 %, the error budget is being consumed: Slow queries below shows for how long, and the table which query.',
      unit: 'percentunit',
      query: { expr: max(slowQueries('1h')), legend: 'slow', instant: true },
      thresholds: [
        [null, 'green'],
        [SLOW_BUDGET, 'yellow'],
        [6 * SLOW_BUDGET, 'red'],
      ],
      ...size,
    },
    {
      type: 'stat',
      id: 104,
      title: 'Cancelled queries',
      says: 'Queries within the time range that were cancelled while they ran, by their time limit or by their caller. No data: no selected pool reports its queries.',
      todo: 'By their time limit: those queries are too slow, or wait for locks. By their caller: find out which caller gave up, and why.',
      unit: 'short',
      decimals: 0,
      query: {
        expr: sum(increase(series(METRIC.queryCanceled), WHOLE_RANGE)),
        legend: 'cancelled',
        instant: true,
      },
      thresholds: [
        [null, 'green'],
        [0.5, 'yellow'],
      ],
      ...size,
    },
    firingAlertsStat({
      id: 105,
      says: "pgauge's alerts that are firing for the selection, including the pool's. No data: Prometheus has not loaded the rules.",
      width: 4,
      height: 4,
    }),
    alertsTimeline(106),
  ],
};
