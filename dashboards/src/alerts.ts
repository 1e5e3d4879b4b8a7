import type { Annotation } from './board.js';
import { LABEL, max } from './promql.js';

/** The rules' own measure of utilization: where it has no series, the rules are not loaded. */
const RULES_LOADED = 'job_instance_pool:pgauge_utilization:ratio';

/**
 * Firing alerts of the selection. An alert has only the labels that its rule keeps, so a label that is absent matches as
 * well: `$job|` is the selection or nothing.
 */
const FIRING = `ALERTS{alertname=~"Pgauge.*", alertstate="firing", ${LABEL.job}=~"$job|", ${LABEL.instance}=~"$instance|", ${LABEL.pool}=~"$pool|"}`;

/** How many fire: 0 only where the rules are loaded. */
export const firingAlerts = `count(${FIRING}) or 0 * count(${RULES_LOADED})`;

/**
 * The share of queries that took longer than the rules' objective, by job and pool, within the window before. The rules
 * alone know the objective, so a change there is seen here.
 */
export function slowQueries(window: '5m' | '1h'): string {
  const recorded = `job_pool:pgauge_query_slow:ratio_rate${window}{${LABEL.job}=~"$job", ${LABEL.pool}=~"$pool|"}`;
  return max(recorded, LABEL.job, LABEL.pool);
}

export const FIRING_ALERTS: Annotation = {
  name: 'Firing alerts',
  expr: FIRING,
  color: 'red',
  title: '{{alertname}}',
  text: `{{${LABEL.job}}} {{${LABEL.instance}}} {{${LABEL.pool}}}`,
  tagLabels: ['severity'],
};
