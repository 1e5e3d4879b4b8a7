export { newPool, newPoolSync } from './new-pool.js';
export { poolClass, type PoolClass } from './pool-class.js';
export { fromPgConfig, type FromPgConfig } from './pg-config/index.js';
export type { PoolOptions, PgSettings, Pipelining, SslOptions } from './settings/options.js';
export {
  DEFAULT_ACQUIRE_SPAN,
  DEFAULT_ACQUIRE_TIMEOUT_MS,
  DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO,
  DEFAULT_CONNECT_RETRY_MS,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_END_TIMEOUT_MS,
  DEFAULT_HEALTH_CHECK_PERIOD_MS,
  DEFAULT_IDLE_TIMEOUT_MS,
  DEFAULT_KEEP_ALIVE_DELAY_MS,
  DEFAULT_LEAK_DETECTION_MS,
  DEFAULT_MAX_PENDING,
  DEFAULT_MAX_USES,
  DEFAULT_QUERY_SPANS,
  DEFAULT_QUERY_TEXT,
  DEFAULT_QUERY_TIMEOUT_MS,
  DEFAULT_SLOW_QUERY_MS,
} from './settings/options.js';

export type { Config, SslMode } from './settings/config.js';
export type { DatabaseHost, LoadBalanceHosts, TargetSessionAttrs } from './settings/hosts.js';
export {
  DEFAULT_CONN_MAX_LIFETIME_MS,
  DEFAULT_MAX_OPEN_CONNS,
  DEFAULT_MIN_CONNS,
  DEFAULT_SSL_MODE,
} from './settings/config.js';
export { validateConfig } from './settings/config-checks.js';
export { defineConfig, logValue, type ConfigLogValue } from './settings/redacted-view.js';
export {
  buildConnectionStringWithAuth,
  connectionString,
  getMigrationPassword,
  getMigrationUser,
  migrationConnectionString,
} from './settings/connection-string.js';

export type { DynamicAuthAwsDsql } from './auth/aws/dsql.js';
export type { AwsCredentials, AwsCredentialsProvider, AwsIdentity } from './auth/aws/identity.js';
export type { DynamicAuthAwsRdsIam } from './auth/aws/rds-iam.js';
export type { DynamicAuthAwsSecretsManager } from './auth/aws/secrets-manager.js';
export type { IssueContext, LoginTarget } from './auth/backend.js';
export type { DynamicAuthAzureAd } from './auth/azure/azure-ad.js';
export type { DynamicAuthConfig } from './auth/backends.js';
export type { CustomIssueContext, DynamicAuthCustom } from './auth/custom.js';
export type { DynamicAuthGcpCloudSqlIam } from './auth/gcp/cloud-sql-iam.js';
export type { DynamicAuthPasswordFile } from './auth/password-file.js';
export { newAuthToken, newDynamicAuthFunc, type AuthOptions } from './auth/index.js';
export {
  DEFAULT_POOL_STATS_INTERVAL_MS,
  startPoolStatsLogger,
  type PoolStatsLoggerOptions,
} from './telemetry/logs/stats-logger.js';

export { InstrumentedPool, type InstrumentedClient } from './pool/pool.js';
export type { QueryStopOptions } from './queries/stop-options.js';
export type { AcquireOptions } from './pool/acquire.js';
export type { ReadyOptions } from './pool/readiness.js';
export type { EndOptions } from './pool/shutdown.js';
export type { PoolSize } from './pool/size.js';
export type { PoolStat } from './pool/stat.js';
export type {
  AfterConnect,
  BeforeConnect,
  ConnectContext,
  ConnectTarget,
  CredentialsObserver,
  CredentialsSource,
  IssuedLogin,
  DialedStream,
  DialFunction,
  DialTarget,
  Logger,
  OnAcquire,
  QueryTelemetry,
  QueryToSummarize,
  ResetSession,
  TokenSource,
  AcquireSpan,
} from './hooks.js';
export {
  AcquireTimeoutError,
  AuthError,
  ConfigError,
  ConnectTimeoutError,
  OpenTransactionError,
  OutcomeUnknownError,
  PgaugeError,
  PoolBusyError,
  PoolEndedError,
  QueryTimeoutError,
  WrongHostError,
  type PgaugeErrorCode,
} from './errors.js';
