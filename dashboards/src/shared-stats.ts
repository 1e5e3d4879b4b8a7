import { ALERT_STATES, firingAlerts } from './alerts.js';
import type { StatPanel, StateTimelinePanel } from './board.js';
import { credentialsValidFor } from './measures.js';

/** The properties of a shared panel that each dashboard sets. */
type Own = Pick<StatPanel, 'id' | 'says' | 'todo' | 'width' | 'height'>;

/** The credentials that expire first, overall or for each of `by`. */
export function credentialsStat(own: Own, ...by: readonly string[]): StatPanel {
  return {
    type: 'stat',
    title: 'Credentials valid for',
    unit: 's',
    decimals: 0,
    query: {
      expr: credentialsValidFor(...by),
      legend: by.length > 0 ? by.map((label) => `{{${label}}}`).join(' ') : 'valid for',
      instant: true,
    },
    thresholds: [
      [null, 'red'],
      [120, 'yellow'],
      [600, 'green'],
    ],
    ...own,
  };
}

export function firingAlertsStat(own: Omit<Own, 'todo'>): StatPanel {
  return {
    type: 'stat',
    title: 'Alerts firing',
    todo: 'Follow the runbook of the alert; the timeline below shows when it began.',
    unit: 'short',
    decimals: 0,
    query: { expr: firingAlerts, legend: 'firing', instant: true },
    thresholds: [
      [null, 'green'],
      [1, 'red'],
    ],
    ...own,
  };
}

export function alertsTimeline(id: number): StateTimelinePanel {
  const { expr, legend, states } = ALERT_STATES;
  return {
    type: 'state-timeline',
    id,
    title: 'Alerts',
    says: "pgauge's alerts that were pending or firing for the selection. No data: there were none, or Prometheus has not loaded the rules.",
    todo: 'Follow the runbook of the alert that fired first; red marks in the plots below show when each began to fire.',
    unit: 'short',
    query: { expr, legend },
    states,
    width: 24,
    height: 6,
  };
}
