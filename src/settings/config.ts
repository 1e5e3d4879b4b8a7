import { DEFAULT_SSL_MODE, type SslMode } from './ssl-mode.js';
import type { DatabaseHost, LoadBalanceHosts, TargetSessionAttrs } from './hosts.js';
import { defaultLifetime, type DynamicAuthConfig } from '../auth/backends.js';

export { DEFAULT_SSL_MODE, type SslMode } from './ssl-mode.js';

/** The maximum number of connections when `maxOpenConns` is 0 or unset. */
export const DEFAULT_MAX_OPEN_CONNS = 10;

/** The number of connections kept open when `minConns` is 0 or unset. */
export const DEFAULT_MIN_CONNS = 0;

/** The lifetime of a connection in milliseconds when `connMaxLifetimeMs` is 0 or unset: one hour. */
export const DEFAULT_CONN_MAX_LIFETIME_MS = 3_600_000;

/**
 * The login and the size of a pool; copied when it is used, never modified. ConfigError is thrown for an unknown key, a
 * missing required field, control characters, and sizes that are not whole numbers from 0 to 2^31 - 1.
 */
export interface Config {
  /** Host name or IP address of one host, not a list or a socket path. Required unless `hosts` is set. */
  readonly host?: string | undefined;
  /** TCP port, 1 to 65535, also for those `hosts` without their own. Required unless every host has its own. */
  readonly port?: number | undefined;
  /**
   * Several hosts instead of `host`, tried in order until one meets `targetSessionAttrs`. All steps of an attempt are
   * repeated for each dialled host, and all hosts share `connectTimeoutMs`. Not empty, no duplicates. Default none.
   */
  readonly hosts?: readonly DatabaseHost[] | undefined;
  /** The kind of server to connect to, as in libpq; default `any`. */
  readonly targetSessionAttrs?: TargetSessionAttrs | undefined;
  /** `random` shuffles the hosts for each attempt, as in libpq; default `disable`. */
  readonly loadBalanceHosts?: LoadBalanceHosts | undefined;
  /** Role of normal operation. Required. */
  readonly user: string;
  /** Password of `user`; if empty or unset, looked up in PGPASSFILE. Not used if `dynamicAuth` is set. */
  readonly password?: string | undefined;
  /** Role of schema migrations; default `user`. */
  readonly migrationUser?: string | undefined;
  /** Password of `migrationUser`; default `password` when the users are equal, else looked up in PGPASSFILE. */
  readonly migrationPassword?: string | undefined;
  /** Database to open, without any of `?#/` or whitespace. Required. */
  readonly database: string;
  /** How the connection is encrypted and verified; default `require`. */
  readonly sslMode?: SslMode | undefined;
  /** Short-lived passwords instead of `password`, which `newPool` refuses to send with `sslMode` disable; default none. */
  readonly dynamicAuth?: DynamicAuthConfig | undefined;
  /** Maximum number of connections; default and 0: 10. */
  readonly maxOpenConns?: number | undefined;
  /** Number of connections kept open when idle, at most the maximum; default and 0: none. */
  readonly minConns?: number | undefined;
  /**
   * Lifetime of a connection in milliseconds, which never ends a connection in use; default and 0: 3 600 000, or
   * 3 300 000 with a backend whose server ends sessions after an hour.
   */
  readonly connMaxLifetimeMs?: number | undefined;
}

/** The mode in force: `sslMode`, or `require` when it is unset. */
export function effectiveSslMode(config: Pick<Config, 'sslMode'>): SslMode {
  return config.sslMode || DEFAULT_SSL_MODE;
}

/** The maximum number of connections in force. */
export function effectiveMax(config: Pick<Config, 'maxOpenConns'>): number {
  return config.maxOpenConns || DEFAULT_MAX_OPEN_CONNS;
}

/** The effective number of connections kept open. */
export function effectiveMin(config: Pick<Config, 'minConns'>): number {
  return config.minConns || DEFAULT_MIN_CONNS;
}

/** The lifetime of a connection in force, in milliseconds. */
export function effectiveLifetimeMs({
  connMaxLifetimeMs,
  dynamicAuth,
}: Pick<Config, 'connMaxLifetimeMs' | 'dynamicAuth'>): number {
  return connMaxLifetimeMs || (defaultLifetime(dynamicAuth)?.ms ?? DEFAULT_CONN_MAX_LIFETIME_MS);
}
