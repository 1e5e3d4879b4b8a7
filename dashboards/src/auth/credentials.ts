import { METRIC } from '../../../src/telemetry/names.js';
import type { Row } from '../board.js';
import { credentialsValidFor, quantilesByProvider } from '../measures.js';
import { events, FAILED, histogram, LABEL, SUCCEEDED, sum } from '../promql.js';
import { RARE, WHY_AN_HOUR } from './windows.js';

const size = { width: 8, height: 8 } as const;

const fetches = (...matchers: string[]): string =>
  sum(events(histogram(METRIC.credentialsFetchDuration, 'count', ...matchers), RARE), LABEL.provider);
const none = `0 * ${sum(histogram(METRIC.credentialsFetchDuration, 'count'), LABEL.provider)}`;

const ofTheProcess = 'Credentials belong to the process, so the variable Pool does not apply.';

export const credentials: Row = {
  id: 300,
  title: 'Credentials',
  panels: [
    {
      type: 'timeseries',
      id: 301,
      title: 'Credentials validity left',
      says: `Time until the session credentials of an instance expire: a sawtooth that jumps up with each renewal. It may fall below the line at 120 s while no tokens are requested. ${ofTheProcess}`,
      todo: 'A line that keeps falling below 120 s while tokens are requested: renewal is failing, see credential fetches.',
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
      says: `How often the provider fetched credentials instead of using cached ones. ${WHY_AN_HOUR} ${ofTheProcess}`,
      todo: 'More than a few per hour and instance: the provider is called too often, or fails. Failures: `postgres token refresh failed` in the logs has the type.',
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
      says: `How long the fetches of credentials took, failures included. ${WHY_AN_HOUR} ${ofTheProcess}`,
      todo: 'Seconds: the source is slow (a metadata service, STS, Vault), or fails before another one succeeds; name the source to skip the others.',
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
