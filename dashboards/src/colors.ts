import type { CONNECTION_STATES } from '../../src/telemetry/names.js';
import type { CANCEL_REASONS, CLOSE_REASONS } from '../../src/observer.js';

/** The same colour for the same state on every panel. */
export const STATE_COLORS: Readonly<Record<(typeof CONNECTION_STATES)[number], string>> = {
  used: 'blue',
  idle: 'green',
  connecting: 'yellow',
};

/** Not red, which is reserved for alerts. */
export const LIMIT_COLOR = 'text';

export const PENDING_COLOR = 'purple';

/** From the usual case to the worst. */
export const QUANTILE_COLORS = { p50: 'blue', p95: 'yellow', p99: 'orange' } as const;

/** Timeouts in orange, queries that the application aborted in purple. */
export const CANCEL_REASON_COLORS: Readonly<Record<(typeof CANCEL_REASONS)[number], string>> = {
  timeout: 'dark-yellow',
  aborted: 'purple',
};

/** Routine in blues and greys, causes in the server or network in oranges, those in the application in purples. */
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
