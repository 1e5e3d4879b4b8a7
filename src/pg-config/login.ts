import { connectionParameters, type ConnectionParameters } from '../connection/driver.js';
import { ConfigError } from '../errors.js';
import { checkPort } from '../settings/config-checks.js';
import type { Config } from '../settings/config.js';
import { firstPlace, type Place } from '../settings/hosts.js';
import type { PoolOptions } from '../settings/options.js';
import { refuse, type PgFields } from './read.js';

/** The settings that a tool's settings override. */
export interface PgConfigBase {
  readonly config: Config;
  readonly options: PoolOptions;
}

/** The driver's login for certain settings. */
export interface Login {
  readonly target: Place & Pick<Config, 'user' | 'database'>;
  /** Undefined when none is given. */
  readonly password: unknown;
  /** The driver's `ssl`, undefined when that of the base applies. */
  readonly ssl: unknown;
  /** Whether the driver made `ssl` itself, from the URL or the environment. */
  readonly sslIsDrivers: boolean;
  /** All parameters that the driver derived from the settings. */
  readonly parameters: ConnectionParameters;
}

/** Stands for a value that comes from the base alone, so that the driver does not read the environment. */
const NOT_GIVEN = Object.freeze({});

/**
 * Lets the driver combine the settings, the URL and the environment; throws ConfigError if it cannot log in with them.
 */
export function driversLogin(fields: PgFields, base: PgConfigBase | undefined): Login {
  const parameters = parametersOf(
    // Without a prototype, so that a polluted one adds no settings; without the stream, which a client would make.
    Object.assign(Object.create(null) as PgFields, base && asPgConfig(base), fields, { stream: undefined }),
  );
  const { host, port, user, database, password, ssl } = parameters;
  for (const key of ['binary', 'replication'] as const) refuse(key, parameters[key]);
  if (host.startsWith('/')) {
    throw new ConfigError(
      'host is a unix socket, which is not supported: give the name of a host and a port, and connect to the socket in the option dial',
    );
  }
  if (!user) throw new ConfigError('user is required: there is none in the settings, in PGUSER or in USER');
  checkPort(port, 'port');
  return {
    target: { host, port, user, database },
    password: password === NOT_GIVEN || password === null ? undefined : password,
    ssl: ssl === NOT_GIVEN ? undefined : ssl,
    sslIsDrivers: ssl !== fields['ssl'],
    parameters,
  };
}

/** The base in the driver's terms. */
function asPgConfig({ config, options }: PgConfigBase): PgFields {
  const { user, database } = config;
  const { host, port } = firstPlace(config);
  const tls = { ssl: NOT_GIVEN, sslnegotiation: 'postgres' };
  return { ...options.pg, ...tls, host, port, user, database, password: NOT_GIVEN };
}

function parametersOf(fields: PgFields): ConnectionParameters {
  try {
    return connectionParameters(fields);
  } catch (error) {
    // The error of a URL that cannot be parsed may quote it, as its cause.
    throw new ConfigError(`node-postgres cannot use these settings: ${(error as Error).message}`);
  }
}
