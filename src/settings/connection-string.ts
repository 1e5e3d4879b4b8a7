import { isIPv6 } from 'node:net';
import type { Unchecked } from './checks.js';
import { checkSslMode, readConfig } from './config-checks.js';
import { effectiveSslMode, type Config } from './config.js';
import type { DatabaseHost } from './hosts.js';
import { ConfigError } from '../errors.js';

/** The user that owns schema migrations: `migrationUser`, else `user`; throws ConfigError when that is not a string. */
export function getMigrationUser(config: Config): string {
  return migrationUser(readConfig(config));
}

/**
 * The password of the migration user: `migrationPassword`; else `password` when the users are equal; else `''`, for
 * PGPASSFILE. Throws ConfigError when that is not a string.
 */
export function getMigrationPassword(config: Config): string {
  return migrationPassword(readConfig(config));
}

/**
 * The libpq URL of the application's user, with its password; throws ConfigError for an unknown `sslMode`, and for a
 * host, port, user or database that was never set.
 */
export function connectionString(config: Config): string {
  const fields = readConfig(config);
  return build(fields, given(fields.user, 'user'), text(fields.password, 'password'));
}

/**
 * The libpq URL of the migration user, with its password; throws ConfigError for an unknown `sslMode`, and for a host,
 * port, user or database that was never set.
 */
export function migrationConnectionString(config: Config): string {
  const fields = readConfig(config);
  return build(
    fields,
    text(fields.migrationUser, 'migrationUser') || given(fields.user, 'user'),
    migrationPassword(fields),
  );
}

/**
 * The libpq URL for a given user and password, such as a token; an empty password is left out.
 * Characters with a meaning in a URL are escaped, nothing else is validated; throws ConfigError for an unknown
 * `sslMode` and for a host, port, user or database that was never set.
 */
export function buildConnectionStringWithAuth(config: Config, user: string, password: string): string {
  return build(readConfig(config), given(user, 'user'), text(password, 'password'));
}

function migrationUser(fields: Unchecked<Config>): string {
  return text(fields.migrationUser, 'migrationUser') || text(fields.user, 'user');
}

function migrationPassword(fields: Unchecked<Config>): string {
  const own = text(fields.migrationPassword, 'migrationPassword');
  if (own !== '') return own;
  return migrationUser(fields) === text(fields.user, 'user') ? text(fields.password, 'password') : '';
}

function build(fields: Unchecked<Config>, user: string, password: string): string {
  checkSslMode(fields.sslMode, 'sslMode');
  const login = escape(user, USER_KEEPS) + (password === '' ? '' : `:${escape(password, USER_KEEPS)}`);
  const places = placesPart(fields);
  const database = escape(given(fields.database, 'database'), DATABASE_KEEPS);
  // Without `sslnegotiation`, because it is an option of the pool, and libpq before 17 refuses a URL that contains it.
  const parameters = [
    `sslmode=${effectiveSslMode(fields as Config)}`,
    ...parameter('target_session_attrs', fields.targetSessionAttrs),
    ...parameter('load_balance_hosts', fields.loadBalanceHosts),
  ];
  return `postgres://${login}@${places}/${database}?${parameters.join('&')}`;
}

/** `host:port`, or several with commas between them. */
function placesPart({ host, port, hosts }: Unchecked<Config>): string {
  const several = Array.isArray(hosts) ? (hosts as readonly Unchecked<DatabaseHost>[]) : [{ host, port }];
  return several
    .map((one) => `${hostPart(given(one.host, 'host'))}:${escape(portText(one.port ?? port), '')}`)
    .join(',');
}

function parameter(name: string, value: unknown): string[] {
  return typeof value === 'string' && value !== '' ? [`${name}=${escape(value, '')}`] : [];
}

function portText(port: unknown): string {
  // Some objects cannot be converted to a string.
  if (typeof port !== 'number' && typeof port !== 'string') {
    throw new ConfigError('port must be between 1 and 65535');
  }
  return String(port);
}

/** The text of a field that a URL requires. */
function given(value: unknown, name: string): string {
  if (value === undefined || value === null) throw new ConfigError(`${name} is required`);
  return text(value, name);
}

function text(value: unknown, name: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new ConfigError(`${name} must be a string`);
  // A lone surrogate has no UTF-8 form: written as U+FFFD, it would change the name or password.
  if (/\p{Cs}/u.test(value)) throw new ConfigError(`${name} must be well-formed Unicode`);
  return value;
}

// The characters that Go's url.UserPassword leaves unescaped besides the unreserved ones.
const USER_KEEPS = '$&+,;=';

// The characters that RFC 3986 allows in a name besides the unreserved ones; Go's url.Parse refuses them as %XX.
// Without the comma, because libpq takes it as the separator between hosts.
const HOST_KEEPS = "!$&'()*+;=";

// Left unescaped because WHATWG-style parsers do not decode them in the path of a PostgreSQL URL; libpq accepts both.
const DATABASE_KEEPS = '$&+,;=:@/';

function escape(value: string, keep: string): string {
  return value.replace(/[^A-Za-z0-9\-._~]/gu, (character) =>
    keep.includes(character) ? character : percentEncode(character),
  );
}

function percentEncode(character: string): string {
  return Array.from(
    Buffer.from(character),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

function hostPart(host: string): string {
  const bare = /^\[(.*)\]$/s.exec(host)?.[1] ?? host;
  // RFC 6874: the percent sign before a zone is escaped.
  return isIPv6(bare) ? `[${escape(bare, ':')}]` : escape(host, HOST_KEEPS);
}
