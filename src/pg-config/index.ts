import type { PoolConfig } from 'pg';
import type { Config } from '../settings/config.js';
import type { PoolOptions } from '../settings/options.js';
import { ConfigError } from '../errors.js';
import { firstPlace } from '../settings/hosts.js';
import { defineConfig } from '../settings/redacted-view.js';
import { driversLogin, type Login, type PgConfigBase } from './login.js';
import { readPgConfig } from './read.js';
import { hooksOf, limitsOf, pgSettingsOf, setFields, sizesOf } from './settings.js';
import { sslOf } from './ssl.js';

/** The settings of a `pg.Pool` in the terms of `newPool`. */
export interface FromPgConfig {
  /** The first argument of `newPool`; prints without its password. */
  readonly config: Config;
  /** The second argument of `newPool`. */
  readonly options: PoolOptions;
  /**
   * Given settings that node-postgres ignores, in their order: `connectionLimit` for a key, `connectionString?schema`
   * for a parameter of the URL, `ssl.require` for a member of `ssl`.
   */
  readonly dropped: readonly string[];
}

/**
 * Translates the settings of a `pg.Pool` for `newPool`. Missing ones are taken from PGHOST, PGPORT and the like, as in
 * node-postgres. A password function becomes `beforeConnect`; `onConnect` and `verify` become `afterConnect`.
 * Throws ConfigError for a setting without an equivalent, and names the alternative.
 */
export function fromPgConfig(poolConfig: PoolConfig): FromPgConfig {
  return translate(poolConfig, undefined);
}

/** Like `fromPgConfig`, but missing settings are taken from `base` instead of the environment. */
export function overPgConfig(base: PgConfigBase, poolConfig: PoolConfig | null | undefined): FromPgConfig {
  return translate(poolConfig ?? {}, base);
}

function translate(poolConfig: PoolConfig, base: PgConfigBase | undefined): FromPgConfig {
  const { fields, dropped } = readPgConfig(poolConfig);
  const { target, password, ssl, sslIsDrivers, parameters } = driversLogin(fields, base);
  const direct = parameters.sslnegotiation === 'direct';
  if (direct && ssl === undefined) throw new ConfigError('sslnegotiation direct is given without ssl');
  const secured = ssl === undefined && base !== undefined ? undefined : sslOf(ssl, sslIsDrivers, direct);
  const config = {
    ...base?.config,
    ...overHosts(target, base),
    ...setFields({
      ...sizesOf(fields),
      password: typeof password === 'function' ? undefined : password,
      sslMode: secured?.sslMode,
    }),
  } as Config;
  const options: PoolOptions = {
    ...base?.options,
    ...setFields({
      ...limitsOf(fields, parameters),
      ...hooksOf(fields, password, base?.options ?? {}),
    }),
    ...(secured && { ssl: secured.ssl }),
    pg: { ...base?.options.pg, ...pgSettingsOf(fields, parameters) },
  };
  return {
    config: defineConfig(config),
    options: setFields(options),
    dropped: [...dropped, ...(secured?.dropped ?? [])],
  };
}

/** A tool that names no host gets the hosts of the base; one that names a host gets only that. */
function overHosts(target: Login['target'], base: PgConfigBase | undefined): Partial<Config> {
  if (base?.config.hosts === undefined) return target;
  const { host, port, ...login } = target;
  const first = firstPlace(base.config);
  return host === first.host && port === first.port ? login : { ...target, hosts: undefined };
}
