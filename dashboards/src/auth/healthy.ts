import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import {
  events,
  FAILED,
  histogram,
  increase,
  is,
  LABEL,
  POOL,
  quantile,
  series,
  SUCCEEDED,
  sum,
  WHOLE_RANGE,
  withProvider,
} from '../promql.js';
import { alertsTimeline, credentialsStat, firingAlertsStat } from '../shared-stats.js';

const size = { width: 4, height: 4 } as const;
const width5 = { width: 5, height: 4 } as const;

const provider = `{{${LABEL.provider}}}`;
const refreshes = sum(histogram(METRIC.tokenRefreshDuration, 'count'), LABEL.provider);
const failedRefreshes = sum(
  events(histogram(METRIC.tokenRefreshDuration, 'count', FAILED), WHOLE_RANGE),
  LABEL.provider,
);
const rejected = sum(
  increase(series(METRIC.connectionClosed, is(LABEL.closeReason, 'auth')), WHOLE_RANGE),
  ...POOL,
);

export const healthy: Row = {
  id: 100,
  title: 'Healthy?',
  panels: [
    credentialsStat(
      {
        id: 101,
        says: 'Time until the first session credentials of any instance expire, by provider. No data: there are none, or they do not expire.',
        todo: 'Below two minutes, renewal is failing: look at credential fetches and their errors below, then at the role or the metadata service of the instance.',
        ...width5,
      },
      LABEL.provider,
    ),
    {
      type: 'stat',
      id: 102,
      title: 'Failed token refreshes',
      says: 'Attempts within the time range that got no token, by provider. Each is a connection that could not be opened. No data: no token was ever requested.',
      todo: 'The panel of failures by error.type shows the cause. Open connections keep working, so there is time until their lifetime ends.',
      unit: 'short',
      decimals: 0,
      query: { expr: `${failedRefreshes} or 0 * ${refreshes}`, legend: provider, instant: true },
      thresholds: [
        [null, 'green'],
        [0.5, 'red'],
      ],
      ...width5,
    },
    {
      type: 'stat',
      id: 103,
      title: 'Token refresh p95',
      says: "The time within which 95 % of a provider's tokens in the time range were ready. A signature takes milliseconds. No data: there were none.",
      todo: 'Longer ones waited for credentials: look at the credential fetches.',
      unit: 's',
      query: {
        expr: quantile(
          0.95,
          events(histogram(METRIC.tokenRefreshDuration, 'bucket', SUCCEEDED), WHOLE_RANGE),
          LABEL.provider,
        ),
        legend: provider,
        instant: true,
      },
      thresholds: [
        [null, 'green'],
        [0.1, 'yellow'],
        [0.5, 'red'],
      ],
      ...width5,
    },
    {
      type: 'stat',
      id: 104,
      title: 'Logins rejected',
      says: 'Logins within the time range that the server refused (SQLSTATE class 28), by provider; pools with a password have no provider.',
      todo: "The warning `postgres connect failed` contains the provider's hint: for RDS IAM the clock of the instance, the policy (`rds-db:connect`) and the role `rds_iam` of the database user.",
      unit: 'short',
      decimals: 0,
      query: {
        expr: sum(withProvider(rejected), LABEL.provider),
        legend: provider,
        instant: true,
      },
      thresholds: [
        [null, 'green'],
        [0.5, 'red'],
      ],
      ...width5,
    },
    firingAlertsStat({
      id: 105,
      says: "pgauge's alerts that are firing for the selection, including the pool's. No data: Prometheus has not loaded the rules.",
      ...size,
    }),
    alertsTimeline(106),
  ],
};
