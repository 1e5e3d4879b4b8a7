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
        says: 'Time until the first session credentials of any instance end, by provider. No data: none are held, or they do not end.',
        todo: 'Below two minutes renewal fails: look at credential fetches and their errors below, then at the role or the metadata service of the instance.',
        ...width5,
      },
      LABEL.provider,
    ),
    {
      type: 'stat',
      id: 102,
      title: 'Failed token refreshes',
      says: 'Attempts within the time range that got no token, by provider. Each is a connection that was not made. No data: no token was ever asked for.',
      todo: 'The panel of failures by error.type says what; connections that are open live on, so there is time until their lifetime ends.',
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
      says: 'Of twenty tokens of a provider within the time range nineteen took no longer. A signature takes milliseconds. No data: there were none.',
      todo: 'What takes longer waited for credentials: look at the credential fetches.',
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
      says: 'Logins within the time range that the server refused although there was a token or password (SQLSTATE class 28), by provider; pools with a password have none.',
      todo: 'The warning `postgres connect failed` has the hint of the provider: for RDS IAM the clock of the instance, the policy (`rds-db:connect`) and the role `rds_iam` of the database user.',
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
      says: 'Alerts of pgauge that fire now for the selection, those of the pool included. No data: Prometheus has not loaded the rules.',
      ...size,
    }),
    alertsTimeline(106),
  ],
};
