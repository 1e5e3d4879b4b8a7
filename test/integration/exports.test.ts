import { expect, test } from 'vitest';
import * as pgauge from '../../src/index.js';

test('the package exports these values and no others', () => {
  expect(Object.keys(pgauge).sort()).toEqual([
    'AcquireTimeoutError',
    'AuthError',
    'ConfigError',
    'ConnectTimeoutError',
    'DEFAULT_ACQUIRE_SPAN',
    'DEFAULT_ACQUIRE_TIMEOUT_MS',
    'DEFAULT_CONNECT_RETRY_MS',
    'DEFAULT_CONNECT_TIMEOUT_MS',
    'DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO',
    'DEFAULT_CONN_MAX_LIFETIME_MS',
    'DEFAULT_END_TIMEOUT_MS',
    'DEFAULT_HEALTH_CHECK_PERIOD_MS',
    'DEFAULT_IDLE_TIMEOUT_MS',
    'DEFAULT_KEEP_ALIVE_DELAY_MS',
    'DEFAULT_LEAK_DETECTION_MS',
    'DEFAULT_MAX_OPEN_CONNS',
    'DEFAULT_MAX_PENDING',
    'DEFAULT_MAX_USES',
    'DEFAULT_MIN_CONNS',
    'DEFAULT_POOL_STATS_INTERVAL_MS',
    'DEFAULT_QUERY_SPANS',
    'DEFAULT_QUERY_TEXT',
    'DEFAULT_QUERY_TIMEOUT_MS',
    'DEFAULT_SLOW_QUERY_MS',
    'DEFAULT_SSL_MODE',
    'InstrumentedPool',
    'OpenTransactionError',
    'OutcomeUnknownError',
    'PgaugeError',
    'PoolBusyError',
    'PoolEndedError',
    'QueryTimeoutError',
    'WrongHostError',
    'buildConnectionStringWithAuth',
    'connectionString',
    'defineConfig',
    'fromPgConfig',
    'getMigrationPassword',
    'getMigrationUser',
    'logValue',
    'migrationConnectionString',
    'newAuthToken',
    'newDynamicAuthFunc',
    'newPool',
    'newPoolSync',
    'poolClass',
    'startPoolStatsLogger',
    'validateConfig',
  ]);
});

test('the exported defaults have these values', () => {
  const defaults = Object.entries(pgauge).filter(([name]) => name.startsWith('DEFAULT_'));
  expect(Object.fromEntries(defaults)).toEqual({
    DEFAULT_ACQUIRE_SPAN: 'auto',
    DEFAULT_ACQUIRE_TIMEOUT_MS: 30_000,
    DEFAULT_CONNECT_RETRY_MS: 0,
    DEFAULT_CONNECT_TIMEOUT_MS: 15_000,
    DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO: 0.1,
    DEFAULT_CONN_MAX_LIFETIME_MS: 3_600_000,
    DEFAULT_END_TIMEOUT_MS: 0,
    DEFAULT_HEALTH_CHECK_PERIOD_MS: 60_000,
    DEFAULT_IDLE_TIMEOUT_MS: 1_800_000,
    DEFAULT_KEEP_ALIVE_DELAY_MS: 10_000,
    DEFAULT_LEAK_DETECTION_MS: 0,
    DEFAULT_MAX_OPEN_CONNS: 10,
    DEFAULT_MAX_PENDING: 0,
    DEFAULT_MAX_USES: 0,
    DEFAULT_MIN_CONNS: 0,
    DEFAULT_POOL_STATS_INTERVAL_MS: 60_000,
    DEFAULT_QUERY_SPANS: 'always',
    DEFAULT_QUERY_TEXT: 'parameterized',
    DEFAULT_QUERY_TIMEOUT_MS: 0,
    DEFAULT_SLOW_QUERY_MS: 0,
    DEFAULT_SSL_MODE: 'require',
  });
});

test('errors have their stable codes, keep their cause and are all PgaugeErrors', () => {
  expect(new pgauge.PoolEndedError()).toBeInstanceOf(pgauge.PgaugeError);
  const codes = [
    pgauge.ConfigError,
    pgauge.AuthError,
    pgauge.AcquireTimeoutError,
    pgauge.ConnectTimeoutError,
  ].map((Kind) => {
    const cause = new Error('original');
    const error = new Kind('text', { cause });
    expect(error).toBeInstanceOf(pgauge.PgaugeError);
    expect(error.cause).toBe(cause);
    return [error.name, error.code];
  });
  const own = [new pgauge.PoolBusyError(3), new pgauge.PoolEndedError(), new pgauge.QueryTimeoutError(5)];
  expect([...codes, ...own.map(({ name, code }) => [name, code])]).toEqual([
    ['ConfigError', 'ERR_PGAUGE_CONFIG'],
    ['AuthError', 'ERR_PGAUGE_AUTH'],
    ['AcquireTimeoutError', 'ERR_PGAUGE_ACQUIRE_TIMEOUT'],
    ['ConnectTimeoutError', 'ERR_PGAUGE_CONNECT_TIMEOUT'],
    ['PoolBusyError', 'ERR_PGAUGE_POOL_BUSY'],
    ['PoolEndedError', 'ERR_PGAUGE_POOL_ENDED'],
    ['QueryTimeoutError', 'ERR_PGAUGE_QUERY_TIMEOUT'],
  ]);
});
