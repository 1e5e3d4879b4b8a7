import { isIPv6 } from 'node:net';
import {
  checkRequired,
  checkText,
  checkWhole,
  isObject,
  readFields,
  refuseUnknown,
  type Unchecked,
} from './checks.js';
import { DEFAULT_SSL_MODE, SSL_MODES, type SslMode } from './ssl-mode.js';
import { checkDynamicAuth, type DynamicAuthConfig } from '../auth/backends.js';
import { ConfigError } from '../errors.js';

export { checkText, type Unchecked } from './checks.js';
export { DEFAULT_SSL_MODE, type SslMode } from './ssl-mode.js';

/** The maximum number of connections when `maxOpenConns` is 0 or unset. */
export const DEFAULT_MAX_OPEN_CONNS = 10;

/** The number of connections kept open when `minConns` is 0 or unset. */
export const DEFAULT_MIN_CONNS = 0;

/** The lifetime of a connection in milliseconds when `connMaxLifetimeMs` is 0 or unset: one hour. */
export const DEFAULT_CONN_MAX_LIFETIME_MS = 3_600_000;

/**
 * Where and as whom to log in, and how large the pool is; copied when it is used, never changed. ConfigError is thrown for an
 * unknown key, what is required and missing, control characters, and sizes that are not whole numbers from 0 to 2^31 - 1.
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

const KEYS = Object.keys({
  host: 0,
  port: 0,
  user: 0,
  password: 0,
  migrationUser: 0,
  migrationPassword: 0,
  database: 0,
  sslMode: 0,
  dynamicAuth: 0,
  maxOpenConns: 0,
  minConns: 0,
  connMaxLifetimeMs: 0,
} satisfies Record<keyof Config, 0>);

/** A copy of a config as it was given, each field read once, nothing checked; throws ConfigError when there is none. */
export function readConfig(config: unknown): Unchecked<Config> {
  if (config === undefined || config === null) throw new ConfigError('config is nil');
  const fields: Unchecked<Config> = readFields(config, 'config');
  if (isObject(fields.dynamicAuth)) {
    const backends = readFields(fields.dynamicAuth, 'dynamicAuth');
    for (const [name, settings] of Object.entries(backends)) {
      if (isObject(settings)) backends[name] = Object.freeze(readFields(settings, name));
    }
    fields.dynamicAuth = Object.freeze(backends);
  }
  return fields;
}

/** Throws ConfigError unless `host` is one name or address. */
export function checkHost({ host }: Unchecked<Config>): void {
  checkRequired(host, 'host');
  const text = 'host must not contain any of "@/?#" or whitespace';
  if (/[@/?#\s]/.test(host)) throw new ConfigError(text);
  if (/\p{Cc}/u.test(host)) throw new ConfigError(`${text}, nor control characters`);
  if (host.includes(',')) throw new ConfigError('host must be one host: a list of hosts is not supported');
  if (/[:[\]]/.test(host) && !isIPv6(host)) {
    throw new ConfigError('host must be a name or an address, without port or brackets');
  }
  checkText(host, 'host');
}

/** Throws ConfigError unless `port` is a TCP port. */
export function checkPort({ port }: Unchecked<Config>): void {
  const text = 'port must be between 1 and 65535';
  if (typeof port === 'string') throw new ConfigError(`${text}, a number and not a string`);
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65535)
    throw new ConfigError(text);
}

function checkUser({ user }: Unchecked<Config>): void {
  checkRequired(user, 'user');
  checkText(user, 'user');
}

function checkDatabase({ database }: Unchecked<Config>): void {
  checkRequired(database, 'database');
  const text = 'database must not contain any of "?#/" or whitespace';
  if (/[?#/ \t\r\n]/.test(database)) throw new ConfigError(text);
  if (/\p{Cc}/u.test(database)) throw new ConfigError(`${text}, nor control characters`);
  checkText(database, 'database');
}

/** Throws ConfigError unless `sslMode` is unset or one of libpq's modes that are supported. */
export function checkSslMode({ sslMode }: Unchecked<Config>): void {
  if (sslMode === undefined || sslMode === null || sslMode === '') return;
  if (!(SSL_MODES as readonly unknown[]).includes(sslMode)) {
    throw new ConfigError(`sslMode must be one of ${SSL_MODES.join(', ')}`);
  }
}

function check(fields: Unchecked<Config>): void {
  checkHost(fields);
  checkPort(fields);
  checkUser(fields);
  checkDatabase(fields);
  const auth = checkDynamicAuth(fields.dynamicAuth);
  auth?.backend.check(auth.settings, auth.path);
  refuseUnknown(fields, KEYS, 'config');
  for (const name of ['password', 'migrationUser', 'migrationPassword'] as const)
    checkText(fields[name], name);
  for (const name of ['maxOpenConns', 'minConns', 'connMaxLifetimeMs'] as const)
    checkWhole(fields[name], name);
  checkSslMode(fields);
  const config = fields as Config;
  if (effectiveMin(config) > effectiveMax(config)) {
    throw new ConfigError(`minConns must not be above maxOpenConns, which is ${effectiveMax(config)}`);
  }
}

/** Throws ConfigError for the first thing in a config that is refused. */
export function validateConfig(config: unknown): asserts config is Config {
  check(readConfig(config));
}

/** A deep, frozen copy of a config that has been found valid, unset fields left out; throws ConfigError for the first thing refused. */
export function copyConfig(config: unknown): Config {
  const fields = readConfig(config);
  check(fields);
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(set)) as Config);
}

/** Throws ConfigError for a config that would send a token unencrypted. */
export function refuseTokenInClear(config: Config): void {
  if (config.dynamicAuth && config.sslMode === 'disable') {
    throw new ConfigError(
      'dynamicAuth with sslMode disable would send the token in clear: use require or stronger',
    );
  }
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
