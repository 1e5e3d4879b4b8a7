import { isIPv6 } from 'node:net';
import {
  checkOneOf,
  checkRequired,
  checkText,
  checkWhole,
  freezeSetFields,
  isObject,
  readFields,
  refuseUnknown,
  runChecks,
  type Check,
  type Checks,
  type Unchecked,
} from './checks.js';
import { effectiveMax, effectiveMin, type Config } from './config.js';
import { LOAD_BALANCE_HOSTS, TARGET_SESSION_ATTRS, type DatabaseHost } from './hosts.js';
import { SSL_MODES } from './ssl-mode.js';
import { checkDynamicAuth, readSettings } from '../auth/backends.js';
import { ConfigError } from '../errors.js';

// The server and the login, checked before unknown keys are refused.
const LOGIN_CHECKS = {
  host: checkHost,
  port: checkPort,
  user: checkUser,
  database: checkDatabase,
  dynamicAuth(dynamicAuth) {
    const auth = checkDynamicAuth(dynamicAuth);
    auth?.backend.check(auth.settings, auth.path);
  },
} satisfies { readonly [K in keyof Config]?: Check };

/** The same checks when there are several hosts. */
const HOSTS_CHECKS = {
  ...LOGIN_CHECKS,
  host(host) {
    if (host !== undefined) throw new ConfigError('host and hosts are mutually exclusive: give one of them');
  },
  port(port, name) {
    if (port !== undefined) checkPort(port, name);
  },
} satisfies { readonly [K in keyof Config]?: Check };

const OTHER_CHECKS: Checks<Omit<Config, keyof typeof LOGIN_CHECKS | 'hosts'>> = {
  targetSessionAttrs: checkOneOf(TARGET_SESSION_ATTRS),
  loadBalanceHosts: checkOneOf(LOAD_BALANCE_HOSTS),
  password: checkText,
  migrationUser: checkText,
  migrationPassword: checkText,
  maxOpenConns: checkWhole,
  minConns: checkWhole,
  connMaxLifetimeMs: checkWhole,
  sslMode: checkSslMode,
};

const KEYS = [...Object.keys(LOGIN_CHECKS), 'hosts', ...Object.keys(OTHER_CHECKS)];

function check(fields: Unchecked<Config>): void {
  const { hosts, port } = fields;
  runChecks(hosts === undefined ? LOGIN_CHECKS : HOSTS_CHECKS, fields);
  if (hosts !== undefined) checkHosts(hosts, port);
  refuseUnknown(fields, KEYS, 'config');
  runChecks(OTHER_CHECKS, fields);
  const config = fields as Config;
  if (effectiveMin(config) > effectiveMax(config)) {
    throw new ConfigError(`minConns must not be above maxOpenConns, which is ${effectiveMax(config)}`);
  }
}

/** Throws ConfigError for the first violation in a config. */
export function validateConfig(config: unknown): asserts config is Config {
  check(readConfig(config));
}

/** A deep, frozen copy of a valid config, without its unset fields; throws ConfigError for the first violation. */
export function copyConfig(config: unknown): Config {
  const fields = readConfig(config);
  check(fields);
  return freezeSetFields(fields) as Config;
}

/** Copies a config as given, unchecked, reading each field once; throws ConfigError when `config` is not an object. */
export function readConfig(config: unknown): Unchecked<Config> {
  if (config === undefined || config === null) throw new ConfigError('config is nil');
  const fields: Unchecked<Config> = readFields(config, 'config');
  if (Array.isArray(fields.hosts)) {
    fields.hosts = Object.freeze(
      fields.hosts.map((host: unknown) => (isObject(host) ? Object.freeze(readFields(host, 'hosts')) : host)),
    );
  }
  if (isObject(fields.dynamicAuth)) {
    const backends = readFields(fields.dynamicAuth, 'dynamicAuth');
    for (const [name, settings] of Object.entries(backends)) {
      if (isObject(settings)) backends[name] = Object.freeze(readSettings(name, settings, name));
    }
    fields.dynamicAuth = Object.freeze(backends);
  }
  return fields;
}

/** Throws ConfigError unless `hosts` is a list of different hosts, each with its own port or the default `port`. */
function checkHosts(hosts: unknown, port: unknown): void {
  if (!Array.isArray(hosts) || hosts.length === 0) {
    throw new ConfigError('hosts must be a list of one or more { host, port }');
  }
  const seen = new Set<string>();
  for (const [index, given] of hosts.entries()) {
    const name = `hosts[${index}]`;
    const one: Unchecked<DatabaseHost> = readFields(given, name);
    refuseUnknown(one, ['host', 'port'], name);
    checkHost(one.host, `${name}.host`);
    if (one.port === undefined && port === undefined) {
      throw new ConfigError(`${name}.port is required where the config has no port`);
    }
    checkPort(one.port ?? port, `${name}.port`);
    const place = `${one.host}:${String(one.port ?? port)}`;
    if (seen.has(place)) throw new ConfigError(`hosts must not name ${place} twice`);
    seen.add(place);
  }
}

/** Throws ConfigError for a config that would send a token unencrypted. */
export function refuseTokenInClear(config: Pick<Config, 'dynamicAuth' | 'sslMode'>): void {
  if (config.dynamicAuth && config.sslMode === 'disable') throw tokenInClear();
}

/** The error of a login that would send a token unencrypted. */
export function tokenInClear(): ConfigError {
  return new ConfigError(
    'dynamicAuth with sslMode disable would send the token in clear: use require or stronger',
  );
}

/** Throws ConfigError unless a host is one name or address. */
export function checkHost(host: unknown, name: string): asserts host is string {
  checkRequired(host, name);
  const text = `${name} must not contain any of "@/?#" or whitespace`;
  if (/[@/?#\s]/.test(host)) throw new ConfigError(text);
  if (/\p{Cc}/u.test(host)) throw new ConfigError(`${text}, nor control characters`);
  if (host.includes(','))
    throw new ConfigError(
      `${name} must be one host: a list of hosts is not supported here, give it as hosts`,
    );
  if (/[:[\]]/.test(host) && !isIPv6(host)) {
    throw new ConfigError(`${name} must be a name or an address, without port or brackets`);
  }
  // A host in a URL cannot contain these characters, except that an IPv6 address has a percent sign before its zone.
  if (/[%"<>\\^`{|}]/.test(host) && !isIPv6(host)) {
    throw new ConfigError(`${text}, nor any of %"<>\\^\`{|}`);
  }
  checkText(host, name);
}

/** Throws ConfigError unless a port is a TCP port. */
export function checkPort(port: unknown, name: string): asserts port is number {
  const text = `${name} must be between 1 and 65535`;
  if (typeof port === 'string') throw new ConfigError(`${text}, a number and not a string`);
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65535)
    throw new ConfigError(text);
}

function checkUser(user: unknown, name: string): void {
  checkRequired(user, name);
  checkText(user, name);
}

function checkDatabase(database: unknown, name: string): void {
  checkRequired(database, name);
  const text = `${name} must not contain any of "?#/" or whitespace`;
  if (/[?#/ \t\r\n]/.test(database)) throw new ConfigError(text);
  if (/\p{Cc}/u.test(database)) throw new ConfigError(`${text}, nor control characters`);
  checkText(database, name);
}

const checkMode: Check = checkOneOf(SSL_MODES);

/** Throws ConfigError unless `sslMode` is unset, empty or one of libpq's modes that are supported. */
export function checkSslMode(sslMode: unknown, name: string): void {
  if (sslMode !== '') checkMode(sslMode, name);
}
