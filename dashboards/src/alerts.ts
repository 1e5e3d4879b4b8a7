import type { Annotation } from './board.js';
import { LABEL, max } from './promql.js';

/** The rules' own measure of utilization: where it has no series, the rules are not loaded. */
const RULES_LOADED = 'job_instance_pool:pgauge_utilization:ratio';

/**
 * Firing alerts of the selection. An alert has only the labels that its rule keeps, so a label that is absent matches as
 * well: `$job|` is the selection or nothing.
 */
const alertsThatAre = (state: 'pending' | 'firing'): string =>
  `ALERTS{alertname=~"Pgauge.*", alertstate="${state}", ${LABEL.job}=~"$job|", ${LABEL.instance}=~"$instance|", ${LABEL.pool}=~"$pool|"}`;
const FIRING = alertsThatAre('firing');

/** How many fire: 0 only where the rules are loaded. */
export const firingAlerts = `count(${FIRING}) or 0 * count(${RULES_LOADED})`;

/** Every alert by its name: pending, or firing somewhere. */
export const ALERT_STATES = {
  expr: max(`(${alertsThatAre('pending')} or 2 * ${FIRING})`, 'alertname'),
  legend: '{{alertname}}',
  states: [
    { value: 1, text: 'pending', color: 'orange' },
    { value: 2, text: 'firing', color: 'red' },
  ],
} as const;

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
  // Where it begins: a region for each alert would tint the plots.
  expr: `${FIRING} unless ${FIRING} offset $__interval`,
  color: 'red',
  title: '{{alertname}}',
  text: `{{${LABEL.job}}} {{${LABEL.instance}}} {{${LABEL.pool}}}`,
  tagLabels: ['severity'],
};
