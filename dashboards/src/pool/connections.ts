import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { CLOSE_REASON_COLORS, QUANTILE_COLORS } from '../colors.js';
import {
  events,
  FAILED,
  histogram,
  LABEL,
  quantile,
  rate,
  RATE_WINDOW,
  series,
  SUCCEEDED,
  sum,
} from '../promql.js';

const size = { width: 12, height: 8 } as const;
/** High enough for a legend of all reasons. */
const withLegend = { width: 12, height: 11 } as const;

const connects = rate(histogram(METRIC.createTime, 'bucket', SUCCEEDED));
const failures = events(histogram(METRIC.createTime, 'count', FAILED), RATE_WINDOW);
const none = `0 * ${sum(series(METRIC.connectionLimit))}`;

export const connections: Row = {
  id: 400,
  title: 'Connections',
  panels: [
    {
      type: 'timeseries',
      id: 401,
      title: 'Opened per second',
      says: 'Connections that were opened, by instance. The limit divided by the lifetime is normal.',
      todo: 'If it rises with the number of queries, connections are short-lived: the panel of closed connections shows why.',
      unit: 'cps',
      queries: [
        {
          expr: sum(rate(series(METRIC.connectionOpened)), LABEL.job, LABEL.instance),
          legend: `{{${LABEL.instance}}}`,
        },
      ],
      ...withLegend,
    },
    {
      type: 'timeseries',
      id: 402,
      title: 'Closed per second by reason',
      says: 'Connections that were closed, and logins that failed. Blue and grey are routine; orange and yellow came from the server or the network, purple from the application, red from logins and hooks.',
      todo: 'server_closed and network: restarts, failovers, firewalls. tx_open and busy: the application released a connection in the middle of something. The list of close reasons is in docs/telemetry.md.',
      unit: 'cps',
      stacked: true,
      tableLegend: true,
      queries: [
        {
          expr: sum(rate(series(METRIC.connectionClosed)), LABEL.closeReason),
          legend: `{{${LABEL.closeReason}}}`,
        },
      ],
      colors: CLOSE_REASON_COLORS,
      ...withLegend,
    },
    {
      type: 'timeseries',
      id: 403,
      title: 'Connect time p50, p99',
      says: 'Time of attempts that succeeded: hook or token, DNS, TCP, TLS, login, afterConnect.',
      todo: 'Slow with fast tokens: the network or TLS, and the spans below CONNECT show which. Slow with slow tokens: open the dashboard of token refresh.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, connects), legend: 'p50' },
        { expr: quantile(0.99, connects), legend: 'p99' },
      ],
      colors: { p50: QUANTILE_COLORS.p50, p99: QUANTILE_COLORS.p99 },
      thresholds: [
        [null, 'green'],
        [1, 'yellow'],
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 404,
      title: 'Connect errors',
      says: 'Failed attempts, by error.type and in total. Each point covers one rate interval, at least four scrapes, so a single failure shows in several points.',
      todo: 'ECONNREFUSED, ETIMEDOUT, ENOTFOUND: the network. 28P01, 28000: the login. 53300: the server is full, so lower the limits or raise max_connections. connect_timeout: the deadline.',
      unit: 'short',
      axisLabel: 'attempts',
      queries: [
        { expr: `${sum(failures)} or ${none}`, legend: 'all' },
        { expr: sum(failures, LABEL.errorType), legend: `{{${LABEL.errorType}}}` },
      ],
      colors: { all: 'text' },
      ...size,
    },
    {
      type: 'timeseries',
      id: 405,
      title: 'Connections by host',
      says: 'Established connections to each host of a pool, stacked. Pools with one host have no series here.',
      todo: 'All on a different host than usual: a failover, or the first hosts cannot be reached; Connect errors shows why. With `loadBalanceHosts`, the hosts should be level.',
      unit: 'short',
      axisLabel: 'connections',
      stacked: true,
      queries: [
        {
          expr: sum(series(METRIC.hostConnections), LABEL.serverAddress, LABEL.serverPort),
          legend: `{{${LABEL.serverAddress}}}:{{${LABEL.serverPort}}}`,
        },
      ],
      width: 24,
      height: 8,
    },
  ],
};
