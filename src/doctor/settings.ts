import { askedAuth } from '../auth/doctor.js';
import type { Unchecked } from '../settings/checks.js';
import type { Config } from '../settings/config.js';
import { logValue } from '../settings/redacted-view.js';
import type { Arguments } from './arguments.js';
import type { Settings } from './session.js';

const DEFAULT_PORT = 5432;

/** How each field can be given, for a remedy when it is missing or wrong. */
export const SOURCES = {
  host: '--host or PGHOST',
  port: '--port or PGPORT',
  user: '--user or PGUSER',
  database: '--database or PGDATABASE',
  sslMode: '--ssl-mode or PGSSLMODE',
} as const;

// A connection string in place of one of these fields would contain its password, and has one of these characters.
const REFUSED = { host: /[@/?#]/, user: /:\/\//, database: /[?#/]/ } as const;

/** Whether a text in place of a host may be a connection string. */
export function refusedHost(text: string): boolean {
  return REFUSED.host.test(text);
}

/** The redacted config as given, which may hold anything. */
export function targetOf({ config }: Settings): Readonly<Record<string, unknown>> {
  const target: Record<string, unknown> = { ...logValue(config as Config) };
  for (const [field, refused] of Object.entries(REFUSED)) {
    if (refused.test(String(target[field]))) target[field] = '[hidden]';
  }
  return target;
}

/** Reads the settings from flags and environment; a flag wins, and an empty variable counts as unset. */
export function settingsOf(given: Arguments, env: NodeJS.ProcessEnv): Settings {
  const config: Unchecked<Config> = {};
  const origins: Partial<Record<keyof Config, string>> = {};
  const set = (field: keyof Config, value: unknown, origin: string): void => {
    config[field] = value;
    origins[field] = origin;
  };
  const choose = (
    field: keyof typeof SOURCES,
    flag: string,
    value: unknown,
    variable: string,
    read: (text: string) => unknown = (text) => text,
  ): void => {
    const fromEnvironment = env[variable];
    if (value !== undefined) set(field, value, flag);
    else if (fromEnvironment) set(field, read(fromEnvironment), variable);
  };
  choose('host', '--host', given.host, 'PGHOST');
  // A text that is not a number is kept, so that the config check refuses it.
  const port = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text);
  choose('port', '--port', given.port && port(given.port), 'PGPORT', port);
  choose('user', '--user', given.user, 'PGUSER');
  choose('database', '--database', given.database, 'PGDATABASE');
  choose('sslMode', '--ssl-mode', given.sslMode, 'PGSSLMODE');
  if (config.port === undefined) set('port', DEFAULT_PORT, 'default');
  if (env['PGPASSWORD']) set('password', env['PGPASSWORD'], 'PGPASSWORD');
  const auth = askedAuth(given.flags ?? {});
  if (auth) set('dynamicAuth', auth.dynamicAuth, auth.origin);
  set('maxOpenConns', given.max, '--max');
  return {
    config,
    origins,
    caFile: given.ca,
    signAt: given.signHost === undefined ? undefined : hostAndPort(given.signHost),
    max: given.max,
    timeoutMs: given.timeoutMs,
  };
}

/** An IPv6 address has its port after brackets. A text that is not a port is kept, so that the check refuses it. */
function hostAndPort(text: string): { readonly host: string; readonly port: unknown } {
  const bracketed = /^\[(.*)\](?::(.*))?$/.exec(text);
  const [, host = text, port] = bracketed ?? /^([^:]*)(?::([^:]*))?$/.exec(text) ?? [];
  return { host, port: port === undefined ? undefined : /^\d+$/.test(port) ? Number(port) : port };
}
