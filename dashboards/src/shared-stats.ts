import { firingAlerts } from './alerts.js';
import type { StatPanel } from './board.js';
import { credentialsValidFor } from './measures.js';

/** What each dashboard says of a panel that both have. */
type Own = Pick<StatPanel, 'id' | 'says' | 'todo' | 'width' | 'height'>;

export function credentialsStat(own: Own): StatPanel {
  return {
    type: 'stat',
    title: 'Credentials valid for',
    unit: 's',
    decimals: 0,
    query: { expr: credentialsValidFor(), legend: 'valid for', instant: true },
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
    todo: 'Follow the runbook of the alert; the red marks on the panels below say when it began.',
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
