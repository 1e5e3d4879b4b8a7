import { pg } from '../connection/driver.js';
import { ConfigError } from '../errors.js';
import { isObject } from '../settings/checks.js';

/** The settings of a `pg.Pool` as given, without those that are refused or dropped. */
export interface PgFields {
  readonly [key: string]: unknown;
}

/** Settings that the driver reads from its config and from the URL's parameters alike. */
const OF_URL = [
  ...['user', 'password', 'host', 'port', 'ssl', 'sslnegotiation', 'options', 'client_encoding'],
  ...['application_name', 'fallback_application_name', 'query_timeout', 'statement_timeout'],
  ...['lock_timeout', 'idle_in_transaction_session_timeout', 'binary', 'replication'],
];
const OF_URL_ALONE = ['sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'uselibpqcompat'];
const KNOWN = [
  ...OF_URL,
  ...['database', 'connectionString', 'types', 'enableChannelBinding', 'scramMaxIterations'],
  ...['keepAlive', 'keepAliveInitialDelayMillis', 'connectionTimeoutMillis', 'idleTimeoutMillis'],
  ...['max', 'poolSize', 'min', 'maxUses', 'maxLifetimeSeconds', 'allowExitOnIdle'],
  ...['onConnect', 'verify', 'log', 'stream', 'connection', 'Client', 'Promise', 'pipeline'],
];

/** Settings that are not supported, with alternatives; `same` is the value without an effect. */
const REFUSED: Readonly<Record<string, { readonly same?: unknown; readonly because: string }>> = {
  connection: { because: 'each connection attempt makes its own; to prepare it use onConnect' },
  Client: {
    same: pg.Client,
    because: 'the pool watches clients of the pg package; to prepare them use onConnect',
  },
  Promise: { same: Promise, because: 'the pool uses native promises; leave it out' },
  pipeline: { because: 'the pool depends on one query at a time; use several clients' },
  binary: { because: 'the pool depends on the ordinary protocol; leave it out' },
  replication: { because: 'a pool cannot share a replication session; use a pg.Client' },
};

/** Reads the settings of a `pg.Pool`; throws ConfigError for the first that is not supported. */
export function readPgConfig(poolConfig: unknown): { fields: PgFields; dropped: string[] } {
  if (!isObject(poolConfig)) {
    throw new ConfigError('poolConfig must be an object: for a URL give { connectionString }');
  }
  const given = withHidden(poolConfig, 'password');
  const fields = Object.create(null) as Record<string, unknown>;
  const dropped: string[] = [];
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!KNOWN.includes(key)) dropped.push(key);
    else if (Object.hasOwn(REFUSED, key)) refuse(key, value);
    else fields[key] = value;
  }
  const { connectionString } = fields;
  if (connectionString === undefined || connectionString === null) return { fields, dropped };
  if (typeof connectionString !== 'string') throw new ConfigError('connectionString must be a string');
  const parameters = parametersOf(connectionString).filter(
    (name) => !OF_URL.includes(name) && !OF_URL_ALONE.includes(name),
  );
  return { fields, dropped: [...dropped, ...parameters.map((name) => `connectionString?${name}`)] };
}

/** Refuses a setting that asks for an unsupported feature. */
export function refuse(key: string, value: unknown): void {
  const refused = REFUSED[key];
  if (refused === undefined || !value || value === refused.same) return;
  throw new ConfigError(`${key} is refused: ${refused.because}`);
}

/** Copies an object's own fields, including those that node-postgres has made non-enumerable to hide them. */
export function withHidden(object: object, ...hidden: string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...object };
  for (const name of hidden) {
    if (Object.hasOwn(object, name)) fields[name] = (object as Record<string, unknown>)[name];
  }
  return fields;
}

function parametersOf(url: string): string[] {
  const query = /\?([^#]*)/.exec(url)?.[1] ?? '';
  return [...new Set(new URLSearchParams(query).keys())];
}
