const POOL_STATE = ['total', 'used', 'idle', 'connecting', 'pending', 'limit'] as const;

/** Every log record of a pool: its level, message and fields; a field that does not apply is left out. */
export const LOG = {
  poolCreated: {
    level: 'info',
    message: 'postgres connection pool created',
    fields: ['config', 'pool', 'dropped'],
  },
  manyPools: {
    level: 'warn',
    message: 'postgres many pools of one target',
    fields: ['pool', 'pools', 'hint', 'suppressed'],
  },
  poolEnded: {
    level: 'info',
    message: 'postgres connection pool ended',
    fields: [
      'pool',
      'opened',
      'closed',
      'acquire_timeouts',
      'canceled_acquires',
      'empty_acquires',
      'empty_acquire_wait_time_ms',
    ],
  },
  poolStats: {
    level: 'debug',
    message: 'postgres pool stats',
    fields: [
      'total_conns',
      'acquired_conns',
      'idle_conns',
      'constructing_conns',
      'max_conns',
      'acquire_count',
      'acquire_duration_ms',
      'canceled_acquire_count',
      'empty_acquire_count',
      'empty_acquire_wait_time_ms',
      'new_conns_count',
      'max_lifetime_destroy_count',
      'max_idle_destroy_count',
    ],
  },
  connectionOpened: {
    level: 'debug',
    message: 'postgres connection opened',
    fields: ['pool', 'duration_ms'],
  },
  connectionClosed: {
    level: 'debug',
    message: 'postgres connection closed',
    fields: ['pool', 'reason', 'age_ms', 'error_type'],
  },
  connectFailed: {
    level: 'warn',
    message: 'postgres connect failed',
    fields: ['pool', 'error_type', 'phase', 'attempt', 'duration_ms', 'tried', 'hint', 'suppressed'],
  },
  unreachable: {
    level: 'warn',
    message: 'postgres unreachable',
    fields: ['pool', 'error_type', 'suppressed'],
  },
  reachable: {
    level: 'info',
    message: 'postgres reachable again',
    fields: ['pool', 'unreachable_ms'],
  },
  connectionLost: {
    level: 'warn',
    message: 'postgres connection lost',
    fields: ['pool', 'error_type', 'reason', 'age_ms', 'suppressed'],
  },
  releasedInTransaction: {
    level: 'warn',
    message: 'postgres client released in a transaction',
    fields: ['pool', 'reason', 'age_ms', 'suppressed'],
  },
  releasedBusy: {
    level: 'warn',
    message: 'postgres client released while a query was running',
    fields: ['pool', 'reason', 'age_ms', 'suppressed'],
  },
  acquireTimedOut: {
    level: 'warn',
    message: 'postgres acquire timed out',
    fields: ['pool', 'error_type', 'waited_ms', ...POOL_STATE, 'suppressed'],
  },
  saturated: {
    level: 'warn',
    message: 'postgres pool saturated',
    fields: ['pool', 'waited_ms', ...POOL_STATE, 'suppressed'],
  },
  recovered: {
    level: 'info',
    message: 'postgres pool recovered',
    fields: ['pool', 'saturated_ms', ...POOL_STATE],
  },
  leakSuspected: {
    level: 'warn',
    message: 'postgres connection leak suspected',
    fields: ['pool', 'held_ms', 'stack', 'suppressed'],
  },
  leakReturned: {
    level: 'debug',
    message: 'postgres connection leak returned',
    fields: ['pool', 'held_ms'],
  },
  endWaiting: {
    level: 'warn',
    message: 'postgres connection pool end is waiting',
    fields: ['pool', 'connections', 'held_ms', 'stacks', 'pending'],
  },
  endForced: {
    level: 'warn',
    message: 'postgres connection pool end forced',
    fields: ['pool', 'connections', 'held_ms', 'suppressed'],
  },
  sessionHookFailed: {
    level: 'warn',
    message: 'postgres session hook failed',
    fields: ['pool', 'error_type', 'hook', 'duration_ms', 'suppressed'],
  },
  slowQuery: {
    level: 'warn',
    message: 'postgres slow query',
    fields: ['pool', 'error_type', 'duration_ms', 'summary', 'rows', 'pid', 'suppressed'],
  },
  queryCanceled: {
    level: 'warn',
    message: 'postgres query canceled',
    fields: ['pool', 'error_type', 'duration_ms', 'summary', 'pid', 'suppressed'],
  },
  summaryRefused: {
    level: 'warn',
    message: 'postgres query summary refused',
    fields: ['pool', 'hint', 'suppressed'],
  },
  tokenRefreshFailed: {
    level: 'warn',
    message: 'postgres token refresh failed',
    fields: ['pool', 'error_type', 'provider', 'suppressed'],
  },
} as const;

/** One of {@link LOG}. */
export type LogRecord = (typeof LOG)[keyof typeof LOG];

/** The fields that a record may have. */
export type LogFields<R extends LogRecord> = Readonly<Partial<Record<R['fields'][number], unknown>>>;

/** A time as in all records: in whole elapsed milliseconds. */
export function wholeMs(ms: number): number {
  return Math.trunc(ms);
}
