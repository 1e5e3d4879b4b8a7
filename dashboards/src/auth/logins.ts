import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import {
  events,
  histogram,
  increase,
  is,
  LABEL,
  matches,
  max,
  POOL,
  rate,
  series,
  SUCCEEDED,
  sum,
  wholeFleet,
  wholeFleetCount,
  withProvider,
} from '../promql.js';
import { RARE, WHY_AN_HOUR } from './windows.js';

const size = { width: 12, height: 8 } as const;

const server = [LABEL.serverAddress, LABEL.serverPort] as const;
/** A pool with the name of an ended one has two info series, of which one is 0. */
const addresses = max(`${wholeFleet(METRIC.poolInfo)} == 1`, ...POOL, ...server);
const perServer = (rates: string, ...by: readonly string[]): string =>
  sum(
    `${sum(rates, ...POOL, ...by)} * on (${POOL.join(', ')}) group_left (${server.join(', ')}) ${addresses}`,
    ...server,
    ...by,
  );
const rejected = sum(
  events(histogram(METRIC.createTime, 'count', matches(LABEL.errorType, '28...|08006')), RARE),
  ...POOL,
  LABEL.errorType,
);
const serverName = `{{${LABEL.serverAddress}}}:{{${LABEL.serverPort}}}`;

export const logins: Row = {
  id: 400,
  title: 'Logins',
  panels: [
    {
      type: 'timeseries',
      id: 401,
      title: 'Logins rejected',
      says: `Logins that the server refused (SQLSTATE class 28, on DSQL 08006) in total, and by provider and SQLSTATE; pools with a password have no provider. ${WHY_AN_HOUR}`,
      todo: "The warning `postgres connect failed` contains the provider's hint. 28000 with an RDS token: the clock, the IAM policy (`rds-db:connect`), or the role `rds_iam`. 28P01: the password. Refused logins are retried, so they count towards the connect rate too.",
      unit: 'short',
      axisLabel: 'logins',
      queries: [
        {
          expr: sum(increase(series(METRIC.connectionClosed, is(LABEL.closeReason, 'auth')), RARE)),
          legend: 'all',
        },
        {
          expr: sum(withProvider(rejected), LABEL.provider, LABEL.errorType),
          legend: `{{${LABEL.provider}}} {{${LABEL.errorType}}}`,
        },
      ],
      colors: { all: 'text' },
      ...size,
    },
    {
      type: 'timeseries',
      id: 402,
      title: 'New connections of the fleet',
      says: "Connections opened per second, and tokens used for logins by provider, by database server, over all jobs and instances, whatever is selected above, because the server's limit applies to all of them. The lines are at 150 and 200 per second; AWS recommends fewer than 200 with IAM authentication.",
      todo: 'Near the lines: lengthen the lifetime and idle timeout of connections, set `minConns` lower for deployments whose instances start together, or use RDS Proxy.',
      unit: 'cps',
      queries: [
        { expr: perServer(rate(wholeFleet(METRIC.connectionOpened))), legend: `opened ${serverName}` },
        {
          expr: perServer(rate(wholeFleetCount(METRIC.tokenRefreshDuration, SUCCEEDED)), LABEL.provider),
          legend: `tokens of {{${LABEL.provider}}} ${serverName}`,
        },
      ],
      thresholds: [
        [null, 'green'],
        [150, 'yellow'],
        [200, 'red'],
      ],
      ...size,
    },
  ],
};
