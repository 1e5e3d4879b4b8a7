import type { Labels } from '../servers/prometheus-api.js';
import type { Stack } from '../stack.js';

/** An alert of the rules file, as it is expected to fire. */
export interface ExpectedAlert {
  readonly alert: string;
  /** Labels that tell it from the same alert for something else. */
  readonly labels: Labels;
}

/** A fault that is going on. */
export interface Injected {
  readonly expected: readonly ExpectedAlert[];
  /** Ends the fault; the applications recover by themselves. */
  end(): unknown;
}

/** Something that goes wrong, and the alerts that exist for it. */
export interface AlertFault {
  /** In words, for the table. */
  readonly what: string;
  inject(stack: Stack): Promise<Injected>;
}

/** The alerts, all of the same pool. */
export function ofPool(pool: string, ...alerts: readonly string[]): ExpectedAlert[] {
  return alerts.map((alert) => ({ alert, labels: { db_client_connection_pool_name: pool } }));
}
