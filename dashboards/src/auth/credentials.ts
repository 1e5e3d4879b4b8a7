import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { credentialsValidFor, quantilesByProvider } from '../measures.js';
import { events, FAILED, histogram, LABEL, SUCCEEDED, sum } from '../promql.js';
import { RARE, WHY_AN_HOUR } from './windows.js';

const size = { width: 8, height: 8 } as const;

const fetches = (...matchers: string[]): string =>
  sum(events(histogram(METRIC.credentialsFetchDuration, 'count', ...matchers), RARE), LABEL.provider);
const none = `0 * ${sum(histogram(METRIC.credentialsFetchDuration, 'count'), LABEL.provider)}`;

const ofTheProcess = 'Credentials belong to the process: the variable Pool does not apply.';

export const credentials: Row = {
  id: 300,
  title: 'Credentials',
  panels: [
    {
      type: 'timeseries',
      id: 301,
      title: 'Credentials validity left',
      says: `Time until the session credentials of an instance end: a sawtooth that jumps up with each renewal. It may fall below the line at 120 s while nobody asks for a token. ${ofTheProcess}`,
      todo: 'A tooth that goes on falling below the line while tokens are asked for: renewal fails, see credential fetches.',
      unit: 's',
      queries: [
        {
          expr: credentialsValidFor(LABEL.job, LABEL.instance, LABEL.provider),
          legend: `{{${LABEL.instance}}} {{${LABEL.provider}}}`,
        },
      ],
      thresholds: [
        [null, 'red'],
        [120, 'green'],
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 302,
      title: 'Credential fetches',
      says: `How often the provider really fetched, not answered from memory, within the hour before. ${WHY_AN_HOUR} ${ofTheProcess}`,
      todo: 'More than a few an hour for each instance: the provider is asked too often, or fails. Failures: `postgres token refresh failed` in the logs has the type.',
      unit: 'short',
      axisLabel: 'fetches',
      queries: [
        { expr: `${fetches(SUCCEEDED)} or ${none}`, legend: `{{${LABEL.provider}}} succeeded` },
        { expr: `${fetches(FAILED)} or ${none}`, legend: `{{${LABEL.provider}}} failed` },
      ],
      ...size,
    },
    {
      type: 'timeseries',
      id: 303,
      title: 'Credential fetch p50, p95, p99',
      says: `How long those fetches took, failures included. ${WHY_AN_HOUR} ${ofTheProcess}`,
      todo: 'Seconds: the source is slow (a metadata service, STS, Vault), or it is tried in vain before another one; name the source to skip the others.',
      unit: 's',
      ...quantilesByProvider(events(histogram(METRIC.credentialsFetchDuration, 'bucket'), RARE)),
      thresholds: [
        [null, 'green'],
        [1, 'yellow'],
      ],
      ...size,
    },
  ],
};
