import { logValue } from '../settings/redacted-view.js';
import type { Config } from '../settings/config.js';
import type { Unchecked } from '../settings/checks.js';
import type { Arguments } from './arguments.js';

/** What is to be checked, as it was asked for: nothing is known to be good yet. */
export interface Settings {
  readonly config: Unchecked<Config>;
  /** Where each field of the config that is set came from: a flag, a variable, a default. */
  readonly origins: Readonly<Partial<Record<keyof Config, string>>>;
  /** The file of root certificates that a flag names. */
  readonly caFile: string | undefined;
  readonly max: number;
  readonly timeoutMs: number;
  /** The region asked for, when tokens are. */
  readonly region: string | undefined;
}

const DEFAULT_PORT = 5432;

/** What may be given for a field, where nothing was or something wrong. */
export const SOURCES = {
  host: '--host or PGHOST',
  port: '--port or PGPORT',
  user: '--user or PGUSER',
  database: '--database or PGDATABASE',
  sslMode: '--ssl-mode or PGSSLMODE',
} as const;

// What none of these may hold: a connection string in their place would bring its password along.
const REFUSED = { host: /[@/?#]/, user: /:\/\//, database: /[?#/]/ } as const;

/** The redacted config as it was asked for, which may be anything. */
export function targetOf({ config }: Settings): Readonly<Record<string, unknown>> {
  const target: Record<string, unknown> = { ...logValue(config as Config) };
  for (const [field, refused] of Object.entries(REFUSED)) {
    if (refused.test(String(target[field]))) target[field] = '[hidden]';
  }
  return target;
}

/** What flags and environment ask for; a flag wins, and an empty variable is as unset. */
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
  // A text that is no number stays one, and is refused as such.
  choose('port', '--port', given.port, 'PGPORT', (text) => (/^\d+$/.test(text) ? Number(text) : text));
  choose('user', '--user', given.user, 'PGUSER');
  choose('database', '--database', given.database, 'PGDATABASE');
  choose('sslMode', '--ssl-mode', given.sslMode, 'PGSSLMODE');
  if (config.port === undefined) set('port', DEFAULT_PORT, 'default');
  if (env['PGPASSWORD']) set('password', env['PGPASSWORD'], 'PGPASSWORD');
  if (given.region !== undefined) {
    set('dynamicAuth', { awsRdsIam: { region: given.region } }, '--region');
  }
  set('maxOpenConns', given.max, '--max');
  return {
    config,
    origins,
    caFile: given.ca,
    max: given.max,
    timeoutMs: given.timeoutMs,
    region: given.region,
  };
}
