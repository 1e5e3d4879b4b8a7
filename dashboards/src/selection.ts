import { METRIC } from '../../src/telemetry/names.js';
import { FIRING_ALERTS } from './alerts.js';
import type { Annotation, Board } from './board.js';
import { LABEL, max, series } from './promql.js';
import { prometheusName } from './prometheus-name.js';

/** The uids that links, alerts and runbooks use. */
export const UID = { pool: 'pgauge-pool', queries: 'pgauge-queries', auth: 'pgauge-auth' } as const;

const LINKS = {
  pool: { title: 'Pool', uid: UID.pool, tooltip: 'The pools of this selection' },
  queries: { title: 'Queries', uid: UID.queries, tooltip: 'The queries of this selection' },
  auth: {
    title: 'Token refresh',
    uid: UID.auth,
    tooltip: 'Tokens, credentials and logins of this selection',
  },
} as const;

/** Links from one dashboard to all others. */
export function linksFrom(own: string): Board['links'] {
  return Object.values(LINKS).filter(({ uid }) => uid !== own);
}

const limit = prometheusName(METRIC.connectionLimit);

/** Based on the limit, because every pool has one. */
export const VARIABLES: Board['variables'] = [
  { name: 'job', label: 'Job', query: `label_values(${limit}, ${LABEL.job})` },
  {
    name: 'instance',
    label: 'Instance',
    query: `label_values(${limit}{${LABEL.job}=~"$job"}, ${LABEL.instance})`,
  },
  {
    name: 'pool',
    label: 'Pool',
    query: `label_values(${limit}{${LABEL.job}=~"$job", ${LABEL.instance}=~"$instance"}, ${LABEL.pool})`,
  },
];

/** The largest limit of a pool: a deployment can change it, the number of instances does not. */
const limitOf = (when: string): string =>
  max(`${series(METRIC.connectionLimit)}${when} > 0`, LABEL.job, LABEL.pool);

const LIMIT_CHANGES: Annotation = {
  name: 'Limit changed',
  expr: `${limitOf('')} != ${limitOf(' offset $__interval')}`,
  color: 'purple',
  title: 'Limit changed',
  text: `{{${LABEL.job}}} {{${LABEL.pool}}}`,
  tagLabels: [LABEL.pool],
};

export const ANNOTATIONS: Board['annotations'] = [FIRING_ALERTS, LIMIT_CHANGES];
