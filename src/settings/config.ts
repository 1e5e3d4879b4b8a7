import { checkRequired, checkText, readFields, refuseUnknown, type Unchecked } from './checks.js';
import { DEFAULT_SSL_MODE, type SslMode } from './ssl-mode.js';
import { ConfigError } from '../errors.js';

export { DEFAULT_SSL_MODE, type SslMode } from './ssl-mode.js';

/** The maximum number of connections when `maxOpenConns` is 0 or unset. */
export const DEFAULT_MAX_OPEN_CONNS = 10;

/** The number of connections kept open when `minConns` is 0 or unset. */
export const DEFAULT_MIN_CONNS = 0;

/** The lifetime of a connection in milliseconds when `connMaxLifetimeMs` is 0 or unset: one hour. */
export const DEFAULT_CONN_MAX_LIFETIME_MS = 3_600_000;

/** Logs in with tokens of AWS RDS IAM. */
export interface DynamicAuthAwsRdsIam {
  /** The region the tokens are signed for; `"detect"` asks the instance metadata service. */
  readonly region: string;
}

/** Where short-lived passwords come from: exactly one backend. */
export interface DynamicAuthConfig {
  /** AWS RDS IAM authentication. */
  readonly awsRdsIam?: DynamicAuthAwsRdsIam | undefined;
}

/** The name of a backend in `dynamicAuth`. */
export type DynamicAuthBackend = keyof DynamicAuthConfig;

// The one place that lists what the interface above declares: the compiler keeps both in step.
const BACKEND_SETTINGS: {
  readonly [B in DynamicAuthBackend]-?: readonly (keyof NonNullable<DynamicAuthConfig[B]>)[];
} = { awsRdsIam: ['region'] };

/**
 * The login and the size of a pool; copied when it is used, never changed. ConfigError is thrown for an unknown key, a
 * missing field that is required, control characters, and sizes that are not whole numbers from 0 to 2^31 - 1.
 */
export interface Config {
  /** Host name or IP address; one host, neither a list nor a socket path. Required. */
  readonly host: string;
  /** TCP port, 1 to 65535. Required. */
  readonly port: number;
  /** Role of normal operation. Required. */
  readonly user: string;
  /** Password of `user`; empty or unset: looked up in PGPASSFILE. Not used where `dynamicAuth` is set. */
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
  /** Maximum number of connections; 0 or unset: 10. */
  readonly maxOpenConns?: number | undefined;
  /** Number of connections kept open when idle, at most the maximum; 0 or unset: none. */
  readonly minConns?: number | undefined;
  /** Lifetime of a connection in milliseconds, never cut short while it is used; 0 or unset: 3 600 000. */
  readonly connMaxLifetimeMs?: number | undefined;
}

/** The one backend that `dynamicAuth` names, undefined when it is unset; throws ConfigError for none, several or unknown ones. */
export function checkDynamicAuth({ dynamicAuth }: Unchecked<Config>): DynamicAuthBackend | undefined {
  if (dynamicAuth === undefined || dynamicAuth === null) return undefined;
  const backends = readFields(dynamicAuth, 'dynamicAuth');
  const known = Object.keys(BACKEND_SETTINGS) as DynamicAuthBackend[];
  const given = Object.keys(backends).filter((name) => backends[name] !== undefined);
  const backend = known.find((name) => given.includes(name));
  if (backend === undefined) {
    const examples = `e.g., ${known.join(', ')}`;
    throw new ConfigError(`dynamicAuth is set but no supported auth method (${examples}) is configured`);
  }
  if (given.length > 1) {
    throw new ConfigError(`dynamicAuth must configure exactly one auth method: ${given.join(', ')} are set`);
  }
  refuseUnknown(backends, known, 'dynamicAuth');
  readFields(backends[backend], `dynamicAuth.${backend}`);
  return backend;
}

/** Throws ConfigError unless the settings of a backend are complete texts. */
export function checkBackendSettings({ dynamicAuth }: Unchecked<Config>, backend: DynamicAuthBackend): void {
  const name = `dynamicAuth.${backend}`;
  const settings = readFields((dynamicAuth as DynamicAuthConfig)[backend], name);
  for (const setting of BACKEND_SETTINGS[backend]) {
    checkRequired(settings[setting], `${name}.${setting}`);
    checkText(settings[setting], `${name}.${setting}`);
  }
  refuseUnknown(settings, BACKEND_SETTINGS[backend], name);
}

/** The mode in force: `sslMode`, or `require` when it is unset. */
export function effectiveSslMode(config: Pick<Config, 'sslMode'>): SslMode {
  return config.sslMode || DEFAULT_SSL_MODE;
}

/** The maximum number of connections in force. */
export function effectiveMax(config: Pick<Config, 'maxOpenConns'>): number {
  return config.maxOpenConns || DEFAULT_MAX_OPEN_CONNS;
}

/** The number of connections kept open in force. */
export function effectiveMin(config: Pick<Config, 'minConns'>): number {
  return config.minConns || DEFAULT_MIN_CONNS;
}

/** The lifetime of a connection in force, in milliseconds. */
export function effectiveLifetimeMs(config: Pick<Config, 'connMaxLifetimeMs'>): number {
  return config.connMaxLifetimeMs || DEFAULT_CONN_MAX_LIFETIME_MS;
}
