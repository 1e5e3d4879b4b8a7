import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { LIMIT_COLOR, PENDING_COLOR, STATE_COLORS } from '../colors.js';
import { utilization } from '../measures.js';
import { LABEL, max, POOL, rate, series, sum } from '../promql.js';

const size = { width: 12, height: 8 } as const;
const perPool = `{{${LABEL.instance}}} {{${LABEL.pool}}}`;

export const saturation: Row = {
  id: 200,
  title: 'Saturation',
  panels: [
    {
      type: 'timeseries',
      id: 201,
      title: 'Connections against the limit',
      says: 'Connections of all selected pools by state, stacked, under the sum of their limits. The stack is the number of connections that the database sees, plus those still being opened.',
      todo: 'All used while the database is idle: the application holds connections without using them. All used while the database is busy: queries are slow. Mostly connecting: see Connections.',
      unit: 'short',
      axisLabel: 'connections',
      stacked: true,
      queries: [
        { expr: sum(series(METRIC.connectionCount), LABEL.state), legend: `{{${LABEL.state}}}` },
        { expr: sum(series(METRIC.connectionLimit)), legend: 'limit' },
      ],
      colors: { ...STATE_COLORS, limit: LIMIT_COLOR },
      lines: ['limit'],
      ...size,
    },
    {
      type: 'timeseries',
      id: 202,
      title: 'Utilization by instance',
      says: 'Used connections divided by the limit. Pools that have ended are left out.',
      todo: 'One instance high and the others low: the load is uneven, or that instance leaks clients. All high: the limit is too low, or queries have become slower.',
      unit: 'percentunit',
      max: 1,
      queries: [{ expr: utilization((used) => used), legend: perPool }],
      thresholds: [
        [null, 'green'],
        [0.9, 'yellow'],
        [1, 'red'],
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 203,
      title: 'Queue depth and oldest wait',
      says: 'Requests waiting for a connection (left), and how long the oldest of them has waited (right).',
      todo: 'If the oldest wait approaches `acquireTimeoutMs`, timeouts are about to begin: free connections, or raise the limit. A short queue that drains at once needs no action.',
      unit: 'short',
      axisLabel: 'requests',
      queries: [
        { expr: sum(series(METRIC.pendingRequests)), legend: 'waiting' },
        { expr: max(series(METRIC.longestWait)), legend: 'oldest wait' },
      ],
      colors: { waiting: PENDING_COLOR, 'oldest wait': 'orange' },
      rightAxis: { 'oldest wait': 's' },
      ...size,
    },
    {
      type: 'timeseries',
      id: 204,
      title: 'Longest checkout',
      says: 'Age of the connection that has been held longest right now, by instance. A line that rises steadily is a connection that is never released.',
      todo: 'Above a minute without a query that explains it: set `leakDetectionMs`, and the warning `postgres connection leak suspected` shows the stack that acquired it.',
      unit: 's',
      queries: [{ expr: max(series(METRIC.longestUse), ...POOL), legend: perPool }],
      thresholds: [
        [null, 'green'],
        [60, 'red'],
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 205,
      title: 'Server unreachable',
      says: 'By pool: 1 while connection attempts fail because the server cannot be reached, starts up or is full, else 0.',
      todo: 'One instance at 1: look at its network and name server. All at 1: the server is down, or fails over; `connectRetryMs` lets acquires wait through that.',
      unit: 'short',
      axisLabel: 'pools',
      max: 1,
      queries: [{ expr: max(series(METRIC.unreachable), ...POOL), legend: perPool }],
      thresholds: [
        [null, 'green'],
        [1, 'red'],
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 206,
      title: 'Acquires refused',
      says: 'Acquires per second that were refused because `maxPending` were already waiting; 0 where it is not set.',
      todo: 'Refusals in a burst are expected. If they continue, the pool is too small for the load or the database too slow: look at the queue and at hold time.',
      unit: 'ops',
      softMax: 1,
      queries: [{ expr: sum(rate(series(METRIC.rejectedAcquires))), legend: 'refused' }],
      ...size,
    },
  ],
};
