import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { quantilesByProvider } from '../measures.js';
import { events, FAILED, histogram, LABEL, rate, SUCCEEDED, sum } from '../promql.js';
import { RARE, WHY_AN_HOUR } from './windows.js';

const size = { width: 12, height: 8 } as const;

const counted = (...matchers: string[]): string =>
  events(histogram(METRIC.tokenRefreshDuration, 'count', ...matchers), RARE);
const none = `0 * ${sum(histogram(METRIC.tokenRefreshDuration, 'count'), LABEL.provider)}`;

export const tokens: Row = {
  id: 200,
  title: 'Token refresh',
  panels: [
    {
      type: 'timeseries',
      id: 201,
      title: 'Token refresh p50, p95, p99',
      says: `How long each provider took to return the token for a connection attempt. ${WHY_AN_HOUR}`,
      todo: 'A p50 of milliseconds and a p99 of a second or more: some tokens waited for credentials, see credential fetches. All slow: the CPU is busy, or each token fetches credentials.',
      unit: 's',
      ...quantilesByProvider(events(histogram(METRIC.tokenRefreshDuration, 'bucket', SUCCEEDED), RARE)),
      thresholds: [
        [null, 'green'],
        [0.5, 'red'],
      ],
      ...size,
    },
    {
      type: 'heatmap',
      id: 202,
      title: 'Token refreshes',
      says: 'Token refreshes of all providers over time, failures included; darker cells hold more.',
      todo: 'A band above the lowest one is refreshes that fetched credentials. If it is dense, credentials are fetched too often.',
      unit: 's',
      cellUnit: 'ops',
      query: { expr: sum(rate(histogram(METRIC.tokenRefreshDuration, 'bucket')), LABEL.le) },
      ...size,
    },
    {
      type: 'timeseries',
      id: 203,
      title: 'Refreshes by outcome',
      says: `Tokens obtained, and attempts that got none, by provider. ${WHY_AN_HOUR}`,
      todo: 'Failures: the next panel shows their types. Many more successes than usual: connections are short-lived, see the dashboard of the pool.',
      unit: 'short',
      axisLabel: 'refreshes',
      queries: [
        {
          expr: `${sum(counted(SUCCEEDED), LABEL.provider)} or ${none}`,
          legend: `{{${LABEL.provider}}} succeeded`,
        },
        {
          expr: `${sum(counted(FAILED), LABEL.provider)} or ${none}`,
          legend: `{{${LABEL.provider}}} failed`,
        },
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 204,
      title: 'Failures by error.type',
      says: `Attempts that got no token, by provider and error.type. ${WHY_AN_HOUR} No data: none failed.`,
      todo: 'ERR_PGAUGE_AUTH or the class of the provider: the log record `postgres token refresh failed` names both. A timeout: the source does not answer. For AWS, CredentialsProviderError: no source has credentials; AccessDenied: the role cannot be assumed.',
      unit: 'short',
      axisLabel: 'failures',
      queries: [
        {
          expr: sum(counted(FAILED), LABEL.provider, LABEL.errorType),
          legend: `{{${LABEL.provider}}} {{${LABEL.errorType}}}`,
        },
      ],
      ...size,
    },
  ],
};
