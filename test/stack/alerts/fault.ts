import type { Labels } from '../servers/prometheus-api.js';
import type { Stack } from '../stack.js';

/** An alert of the rules file that is expected to fire. */
export interface ExpectedAlert {
  readonly alert: string;
  /** Labels that distinguish it from the same alert for another pool or server. */
  readonly labels: Labels;
}

/** A fault in progress. */
export interface Injected {
  readonly expected: readonly ExpectedAlert[];
  /** Ends the fault; the applications recover by themselves. */
  end(): unknown;
}

/** A fault, and the alerts that exist for it. */
export interface AlertFault {
  /** A description for the table. */
  readonly what: string;
  inject(stack: Stack): Promise<Injected>;
}

/** Expects these alerts for one pool. */
export function ofPool(pool: string, ...alerts: readonly string[]): ExpectedAlert[] {
  return alerts.map((alert) => ({ alert, labels: { db_client_connection_pool_name: pool } }));
}
