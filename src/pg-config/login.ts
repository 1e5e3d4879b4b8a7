import { connectionParameters, type ConnectionParameters } from '../connection/driver.js';
import { ConfigError } from '../errors.js';
import { checkPort } from '../settings/config-checks.js';
import type { Config } from '../settings/config.js';
import { firstPlace, type Place } from '../settings/hosts.js';
import type { PoolOptions } from '../settings/options.js';
import { refuse, type PgFields } from './read.js';

/** What a tool's settings are put on top of. */
export interface PgConfigBase {
  readonly config: Config;
  readonly options: PoolOptions;
}

/** Where and as whom the driver would log in. */
export interface Login {
  readonly target: Place & Pick<Config, 'user' | 'database'>;
  /** Undefined when none is given. */
  readonly password: unknown;
  /** The driver's `ssl`, undefined when the base has the say. */
  readonly ssl: unknown;
  /** `ssl` is the driver's own work, from the URL or the environment. */
  readonly sslIsDrivers: boolean;
  /** All that the driver made of the settings. */
  readonly parameters: ConnectionParameters;
}

/** Stands for what only the base may say, so that the driver does not look in the environment. */
const NOT_GIVEN = Object.freeze({});

/** Asks the driver what it makes of the settings, the URL and the environment; throws ConfigError when it cannot log in with that. */
export function driversLogin(fields: PgFields, base: PgConfigBase | undefined): Login {
  const parameters = parametersOf(
    // Without a prototype, so that a polluted one says nothing; without the stream, which a client would make.
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
