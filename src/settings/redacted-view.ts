import { inspect } from 'node:util';
import { readConfig } from './config-checks.js';
import type { Config, SslMode } from './config.js';
import type { Unchecked } from './checks.js';
import type { DatabaseHost, TargetSessionAttrs } from './hosts.js';

/** The part of a config that may be logged: whether secrets are set, but not the secrets. */
export interface ConfigLogValue {
  /** As given. */
  readonly host: string | undefined;
  /** As given. */
  readonly port: number | undefined;
  /** As given; absent if `hosts` is unset. */
  readonly hosts?: readonly DatabaseHost[];
  /** As given; absent if unset. */
  readonly target_session_attrs?: TargetSessionAttrs;
  /** As given. */
  readonly user: string;
  /** As given. */
  readonly database: string;
  /** As given; undefined if unset. */
  readonly ssl_mode: SslMode | undefined;
  /** Whether there is a `password`. */
  readonly has_password: boolean;
  /** Whether there is a `migrationPassword`. */
  readonly has_migration_password: boolean;
  /** Whether `dynamicAuth` is set. */
  readonly dynamic_auth: boolean;
}

function view(fields: Unchecked<Config>): ConfigLogValue {
  const { host, port, hosts, targetSessionAttrs, user, database, sslMode } = fields as Config;
  return {
    host,
    port,
    ...(hosts && { hosts }),
    ...(targetSessionAttrs && { target_session_attrs: targetSessionAttrs }),
    user,
    database,
    ssl_mode: sslMode,
    has_password: Boolean(fields.password),
    has_migration_password: Boolean(fields.migrationPassword),
    dynamic_auth: Boolean(fields.dynamicAuth),
  };
}

/** The redacted view of a config, undefined when there is no config; throws ConfigError when it is not an object. */
export function logValue(config: Config): ConfigLogValue;
export function logValue(config: Config | null | undefined): ConfigLogValue | undefined;
export function logValue(config: Config | null | undefined): ConfigLogValue | undefined {
  return config === undefined || config === null ? undefined : view(readConfig(config));
}

/** `dynamicAuth` is one of them, because the settings of a custom backend may hold anything. */
const SECRETS: readonly string[] = [
  'password',
  'migrationPassword',
  'dynamicAuth',
] satisfies (keyof Config)[];

/**
 * A frozen copy of a config that prints as its redacted view: as JSON, in `util.inspect`, in a pino record.
 * It is otherwise an ordinary Config: its password can be read, and a spread copy is a plain object. Not validated;
 * throws ConfigError when `init` is not an object.
 */
export function defineConfig(init: Config): Config {
  const fields = readConfig(init);
  const config = {};
  for (const [key, value] of Object.entries(fields)) {
    // An inspection that bypasses the custom view, as console.dir does, prints an accessor without its value.
    const property = SECRETS.includes(key) ? { get: () => value } : { value };
    Object.defineProperty(config, key, { ...property, enumerable: true });
  }
  const show = (): ConfigLogValue => view(fields);
  Object.defineProperty(config, 'toJSON', { value: show });
  Object.defineProperty(config, inspect.custom, { value: show });
  // pino prints the fields of a record itself, without toJSON; of one like an HTTP response, only the headers.
  Object.defineProperty(config, 'setHeader', { value: () => undefined });
  Object.defineProperty(config, 'getHeaders', { value: show });
  return Object.freeze(config) as Config;
}
