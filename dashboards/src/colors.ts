import type { CONNECTION_STATES } from '../../src/telemetry/names.js';
import type { CANCEL_REASONS, CLOSE_REASONS } from '../../src/observer.js';

/** One colour for one thing, on every panel. */
export const STATE_COLORS: Readonly<Record<(typeof CONNECTION_STATES)[number], string>> = {
  used: 'blue',
  idle: 'green',
  connecting: 'yellow',
};

/** Red is for alerts. */
export const LIMIT_COLOR = 'text';

export const PENDING_COLOR = 'purple';

/** From the usual case to the worst. */
export const QUANTILE_COLORS = { p50: 'blue', p95: 'yellow', p99: 'orange' } as const;

/** What took too long in orange, what the application no longer wanted in purple. */
export const CANCEL_REASON_COLORS: Readonly<Record<(typeof CANCEL_REASONS)[number], string>> = {
  timeout: 'dark-yellow',
  aborted: 'purple',
};

/** Routine in blues and greys, what a server or network did in oranges, what the application did in purples. */
export const CLOSE_REASON_COLORS: Readonly<Record<(typeof CLOSE_REASONS)[number], string>> = {
  idle: 'light-blue',
  lifetime: 'blue',
  max_uses: 'dark-blue',
  pool_end: 'text',
  server_closed: 'orange',
  network: 'dark-orange',
  timeout: 'dark-yellow',
  read_only: 'yellow',
  auth: 'dark-red',
  hook: 'red',
  tx_open: 'purple',
  busy: 'dark-purple',
  released_with_error: 'light-purple',
};
