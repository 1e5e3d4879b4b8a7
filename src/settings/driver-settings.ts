import type { CustomTypesConfig } from 'pg';
import {
  checkFlag,
  checkMs,
  checkWhole,
  freezeSetFields,
  readFields,
  refuseUnknown,
  runChecks,
  type Check,
  type Checks,
  type Unchecked,
} from './checks.js';
import { readVariable } from './environment.js';
import { ConfigError } from '../errors.js';

/** Settings that are passed to the driver, under the driver's names. */
export interface PgSettings {
  /** Shown in pg_stat_activity; default PGAPPNAME. */
  readonly application_name?: string | undefined;
  /** Shown when neither `application_name` nor PGAPPNAME is set; default none. */
  readonly fallback_application_name?: string | undefined;
  /** The server's limit for a statement in milliseconds; default the server's. */
  readonly statement_timeout?: number | false | undefined;
  /** The server's limit for waiting on a lock in milliseconds; default the server's. */
  readonly lock_timeout?: number | false | undefined;
  /** The server's limit for an idle transaction in milliseconds; default the server's. */
  readonly idle_in_transaction_session_timeout?: number | false | undefined;
  /** Command-line options for the server, such as `-c search_path=app`; default PGOPTIONS. */
  readonly options?: string | undefined;
  /** Type parsers of the pool's clients; default the driver's. */
  readonly types?: CustomTypesConfig | undefined;
  /** Encoding of the protocol's texts; default UTF-8. */
  readonly client_encoding?: string | undefined;
  /** Whether SCRAM is bound to the TLS channel when the server offers it; default false. */
  readonly enableChannelBinding?: boolean | undefined;
  /** Maximum number of SCRAM iterations that a server may request, 0 for no limit; default 100 000. */
  readonly scramMaxIterations?: number | undefined;
}

/** The application's name, by the driver's rules. */
export function applicationName(pg: PgSettings): string | undefined {
  return pg.application_name || readVariable('PGAPPNAME') || pg.fallback_application_name || undefined;
}

const text: Check = (value, name) => {
  if (value === undefined) return;
  if (typeof value !== 'string') throw new ConfigError(`${name} must be a string`);
  // In the startup message a NUL ends a value and starts the next parameter.
  if (value.includes('\0')) throw new ConfigError(`${name} must not contain NUL`);
};

// The driver would read '5s' as 5 ms.
const timeout: Check = (value, name) => {
  if (value !== false) checkMs(value, name);
};

const typeParsers: Check = (value, name) => {
  if (value === undefined) return;
  const { getTypeParser } = Object(value) as { getTypeParser?: unknown };
  if (typeof getTypeParser !== 'function')
    throw new ConfigError(`${name} must have a getTypeParser function`);
};

const CHECKS: Checks<PgSettings> = {
  application_name: text,
  fallback_application_name: text,
  statement_timeout: timeout,
  lock_timeout: timeout,
  idle_in_transaction_session_timeout: timeout,
  options: text,
  types: typeParsers,
  client_encoding: text,
  enableChannelBinding: checkFlag,
  scramMaxIterations: checkWhole,
};

const inConfig = (name: string): string => `set ${name} in the config`;
const inOptions = (name: string): string => `use the option ${name}`;
const ATTEMPT = 'each connection attempt makes its own';
const PROTOCOL = 'the pool depends on the ordinary protocol';

const REFUSED: ReadonlyMap<string, string> = new Map([
  ['host', inConfig('host')],
  ['port', inConfig('port')],
  ['user', inConfig('user')],
  ['password', inConfig('password')],
  ['database', inConfig('database')],
  ['connectionString', 'set host, port, user, password and database in the config'],
  ['sslmode', inConfig('sslMode')],
  ['ssl', inOptions('ssl')],
  ['max', inConfig('maxOpenConns')],
  ['poolSize', inConfig('maxOpenConns')],
  ['min', inConfig('minConns')],
  ['maxLifetimeSeconds', inConfig('connMaxLifetimeMs')],
  ['maxUses', inOptions('maxUses')],
  ['connectionTimeoutMillis', inOptions('connectTimeoutMs')],
  ['connect_timeout', inOptions('connectTimeoutMs')],
  ['idleTimeoutMillis', inOptions('idleTimeoutMs')],
  ['query_timeout', inOptions('queryTimeoutMs')],
  ['keepAlive', inOptions('keepAlive')],
  ['keepAliveInitialDelayMillis', inOptions('keepAlive')],
  ['allowExitOnIdle', 'idle connections never keep the process alive'],
  ['onConnect', inOptions('afterConnect')],
  ['verify', inOptions('afterConnect')],
  ['log', inOptions('logger')],
  ['stream', ATTEMPT],
  ['connection', ATTEMPT],
  ['Client', 'the pool watches clients of the pg package'],
  ['Promise', 'the pool uses native promises'],
  ['pipeline', PROTOCOL],
  ['replication', PROTOCOL],
  ['sslnegotiation', PROTOCOL],
  ['binary', PROTOCOL],
]);

/**
 * Checks and copies the option `pg`, without its unset fields; throws ConfigError, with the reason, for the first
 * violation in the given order.
 */
export function pgSettings(value: unknown): PgSettings {
  const fields: Unchecked<PgSettings> = readFields(value ?? {}, 'pg');
  for (const key of Object.keys(fields)) {
    const reason = REFUSED.get(key);
    if (reason !== undefined) throw new ConfigError(`pg.${key} is refused: ${reason}`);
  }
  refuseUnknown(fields, Object.keys(CHECKS), 'pg');
  runChecks(CHECKS, fields, 'pg.', Object.keys(fields));
  return freezeSetFields(fields);
}
