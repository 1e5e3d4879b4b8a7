import type { ClientConfig } from 'pg';
import { withTimeout } from '../deadline.js';
import { ConfigError } from '../errors.js';
import type {
  AfterConnect,
  BeforeConnect,
  ConnectContext,
  ConnectTarget,
  DialFunction,
  Logger,
} from '../hooks.js';
import { validateConfig } from '../settings/config-checks.js';
import type { Config } from '../settings/config.js';
import { firstPlace, type Place } from '../settings/hosts.js';
import type { PoolSettings } from '../settings/pool-settings.js';
import type { ClientClass } from './driver.js';
import { hostsPlan, type HostsPlan } from './hosts/plan.js';
import { findPassword, passfilePath } from './pgpass.js';
import type { TlsPlan } from './tls.js';

/** How connections of one pool are made. */
export interface DialPlan {
  /** A new copy for one attempt; `place` is one of several hosts. */
  target(place?: Place): ConnectTarget;
  /** Several hosts, or one that must be of a certain kind. */
  readonly hosts: HostsPlan | undefined;
  /** Runs before anything is dialled. */
  readonly beforeConnect: BeforeConnect | undefined;
  /** Whether `beforeConnect` is the pool's own token hook, and not the user's. */
  readonly hookIsToken: boolean;
  readonly afterConnect: AfterConnect | undefined;
  /** Whether a connection is retired when its password expires. */
  readonly retireAtExpiry: boolean;
  /** Provides the transport; if undefined, the driver dials TCP. */
  readonly transport: DialFunction | undefined;
  /** Throws when a target that a hook has changed must not be dialled. */
  check(target: ConnectTarget): void;
  /** The password of a target that has none, from the password file. */
  findPassword(target: ConnectTarget): Promise<string>;
  /** The error text when the server asks for a password and none was found. */
  noPassword(): string;
  /** The TLS options for the host that is dialled. */
  finishTls(ssl: ConnectTarget['ssl'], host: string): ConnectTarget['ssl'];
  readonly Client: ClientClass;
  /** The driver's own settings, the same for every connection. */
  readonly settings: ClientConfig;
  /** One attempt's deadline in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** The parts from which the connections of a pool are made. */
export interface DialParts {
  readonly config: Config;
  readonly settings: PoolSettings;
  /** The hook that runs before each attempt: the token hook of `dynamicAuth`, or the user's. */
  readonly hook: BeforeConnect | undefined;
  readonly tls: TlsPlan;
  readonly logger: Logger;
  /** The class of the clients. */
  readonly Client: ClientClass;
}

/** Translates the settings of a pool into the plan of its connection attempts. */
export function dialPlan({ config, settings, hook, tls, logger, Client }: DialParts): DialPlan {
  const { user, password = '', database } = config;
  const first = firstPlace(config);
  const warned = new Set<string>();
  const warn = (message: string, path: string): void => {
    if (warned.has(message)) return;
    warned.add(message);
    logger.warn({ path }, message);
  };
  return {
    target: ({ host, port } = first) => ({
      host,
      port,
      user,
      password: config.dynamicAuth ? '' : password,
      database,
      ssl: tls.target(),
    }),
    hosts: hostsPlan(config),
    beforeConnect: hook,
    hookIsToken: config.dynamicAuth !== undefined,
    afterConnect: settings.afterConnect,
    retireAtExpiry: settings.retireAtExpiry,
    transport: settings.dial,
    check: checkTarget,
    findPassword: async (target) => (await findPassword(target, { warn })) ?? '',
    // The path is looked up when it is needed, because it depends on the environment and the user's home folder.
    noPassword: () =>
      `the server asks for a password and there is none: config.password is empty, and no line of PGPASSFILE (${passfilePath() ?? 'not set, and there is no home folder'}) matches`,
    finishTls: (ssl, dialed) => tls.finish(ssl, dialed),
    Client,
    settings: driverSettings(settings, tls.direct),
    connectTimeoutMs: settings.connectTimeoutMs,
  };
}

/** Checks a target that a hook may have changed: in the startup message, a NUL would start the next parameter. */
function checkTarget({ host, port, user, password, database }: ConnectTarget): void {
  try {
    validateConfig({ host, port, user, password, database });
  } catch (error) {
    throw new ConfigError(`beforeConnect: ${(error as Error).message}`);
  }
}

function driverSettings({ pg: given, keepAlive }: PoolSettings, direct: boolean): ClientConfig {
  return {
    ...(given as ClientConfig),
    // Set explicitly, or PGSSLNEGOTIATION would decide.
    sslnegotiation: direct ? 'direct' : 'postgres',
    keepAlive: keepAlive !== undefined,
    keepAliveInitialDelayMillis: keepAlive?.initialDelayMs ?? 0,
  };
}

/** A password or token that is valid for one login now. */
export async function currentPassword(dial: DialPlan): Promise<string> {
  return await withTimeout(dial.connectTimeoutMs, undefined, async (signal) => {
    const target = dial.target();
    const context: ConnectContext = { signal, refreshToken: (_source, refresh) => refresh() };
    await dial.beforeConnect?.(target, context);
    return target.password || (await dial.findPassword(target));
  });
}
