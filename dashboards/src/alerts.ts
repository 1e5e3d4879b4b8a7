import type { Annotation } from './board.js';
import { LABEL, max } from './promql.js';

/** Utilization as recorded by the rules: if it has no series, the rules are not loaded. */
const RULES_LOADED = 'job_instance_pool:pgauge_utilization:ratio';

/**
 * Alerts of the selection in a state. An alert has only the labels that its rule keeps, so an absent label must match
 * as well: `$job|` matches the selection or no label.
 */
const alertsThatAre = (state: 'pending' | 'firing'): string =>
  `ALERTS{alertname=~"Pgauge.*", alertstate="${state}", ${LABEL.job}=~"$job|", ${LABEL.instance}=~"$instance|", ${LABEL.pool}=~"$pool|"}`;
const FIRING = alertsThatAre('firing');

/** The number of firing alerts; 0 only if the rules are loaded. */
export const firingAlerts = `count(${FIRING}) or 0 * count(${RULES_LOADED})`;

/** Alerts by name: pending or firing anywhere. */
export const ALERT_STATES = {
  expr: max(`(${alertsThatAre('pending')} or 2 * ${FIRING})`, 'alertname'),
  legend: '{{alertname}}',
  states: [
    { value: 1, text: 'pending', color: 'orange' },
    { value: 2, text: 'firing', color: 'red' },
  ],
} as const;

/**
 * The share of queries that took longer than the rules' objective, by job and pool, within the preceding window. The
 * objective is defined only in the rules, so a change there applies here as well.
 */
export function slowQueries(window: '5m' | '1h'): string {
  const recorded = `job_pool:pgauge_query_slow:ratio_rate${window}{${LABEL.job}=~"$job", ${LABEL.pool}=~"$pool|"}`;
  return max(recorded, LABEL.job, LABEL.pool);
}

export const FIRING_ALERTS: Annotation = {
  name: 'Firing alerts',
  // Only the start, because a region for each alert would tint the plots.
  expr: `${FIRING} unless ${FIRING} offset $__interval`,
  color: 'red',
  title: '{{alertname}}',
  text: `{{${LABEL.job}}} {{${LABEL.instance}}} {{${LABEL.pool}}}`,
  tagLabels: ['severity'],
};
