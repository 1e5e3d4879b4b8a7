import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { utilization } from '../measures.js';
import { histogram, increase, max, quantile, RATE_WINDOW, series, sum, WHOLE_RANGE } from '../promql.js';
import { alertsTimeline, credentialsStat, firingAlertsStat } from '../shared-stats.js';

const size = { width: 4, height: 4 } as const;

export const healthy: Row = {
  id: 100,
  title: 'Healthy?',
  panels: [
    {
      type: 'stat',
      id: 101,
      title: 'Peak utilization',
      says: 'The largest share of its limit that any one instance had in use within the time range. A pool at 100 % with no requests waiting has the right size.',
      todo: 'If requests wait as well, see under Saturation which instance it is, and under Acquire latency how long connections are held; then shorten what holds them, or raise `maxOpenConns`.',
      unit: 'percentunit',
      decimals: 0,
      calc: 'max',
      query: {
        expr: max(utilization((used) => `max_over_time(${used}[${RATE_WINDOW}])`)),
        legend: 'worst instance',
      },
      thresholds: [
        [null, 'green'],
        [0.8, 'yellow'],
        [1, 'red'],
      ],
      ...size,
    },
    {
      type: 'stat',
      id: 102,
      title: 'Waiting now',
      says: 'Requests waiting for a connection, in all selected pools. Short peaks are normal.',
      todo: 'If it stays above 0, find out what holds the connections: look at hold time and longest checkout first, then at slow queries, then at the limit.',
      unit: 'short',
      decimals: 0,
      query: { expr: sum(series(METRIC.pendingRequests)), legend: 'waiting', instant: true },
      thresholds: [
        [null, 'green'],
        [1, 'yellow'],
        [10, 'red'],
      ],
      ...size,
    },
    {
      type: 'stat',
      id: 103,
      title: 'Acquire p99',
      says: 'The time within which 99 % of the acquires in the time range ended, failures included. No data: there were no acquires.',
      todo: 'Near the connect time p99: connections are opened on demand, so set `minConns`. Far above it: requests queue, see Saturation.',
      unit: 's',
      query: {
        expr: quantile(0.99, increase(histogram(METRIC.waitTime, 'bucket'), WHOLE_RANGE)),
        legend: 'p99',
        instant: true,
      },
      thresholds: [
        [null, 'green'],
        [0.1, 'yellow'],
        [1, 'red'],
      ],
      ...size,
    },
    {
      type: 'stat',
      id: 104,
      title: 'Acquire timeouts',
      says: 'Acquires that timed out within the time range. Each was an error for a caller.',
      todo: 'Read the warning `postgres acquire timed out`, which shows the state of the pool. Then look at queue depth and longest checkout.',
      unit: 'short',
      decimals: 0,
      query: {
        expr: sum(increase(series(METRIC.timeouts), WHOLE_RANGE)),
        legend: 'timeouts',
        instant: true,
      },
      thresholds: [
        [null, 'green'],
        [0.5, 'red'],
      ],
      ...size,
    },
    credentialsStat({
      id: 105,
      says: 'Time until the first session credentials of any instance expire. Credentials belong to the process, so the variable Pool does not apply. No data: there are none, or they do not expire.',
      todo: 'Below two minutes, renewal is failing: open the dashboard of token refresh and look at the credential fetches.',
      ...size,
    }),
    firingAlertsStat({
      id: 106,
      says: "pgauge's alerts that are firing for the selection. No data: Prometheus has not loaded the rules.",
      ...size,
    }),
    alertsTimeline(107),
  ],
};
