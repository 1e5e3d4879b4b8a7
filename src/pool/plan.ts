import type { ClientConfig, PoolConfig } from 'pg';
import {
  effectiveLifetimeMs,
  effectiveMax,
  effectiveMin,
  validateConfig,
  type Config,
} from '../settings/config.js';
import { ConfigError } from '../errors.js';
import type { BeforeConnect, ConnectContext, ConnectTarget, Logger } from '../hooks.js';
import type { PoolObserver } from '../observer.js';
import type { ResolvedOptions } from '../settings/options.js';
import { findPassword, passfilePath } from '../connection/pgpass.js';
import type { DialPlan } from '../connection/dial.js';
import { pg, type ClientClass } from '../connection/driver.js';
import type { PoolPlan } from './pool.js';
import { clientWithQueryTimeout } from '../connection/query-timeout.js';
import type { TlsPlan } from '../connection/tls.js';

/** All that a pool is made of, once everything is known to be good. */
export interface Parts {
  readonly config: Config;
  readonly options: ResolvedOptions;
  /** What runs before each attempt: the token hook of `dynamicAuth`, or the user's. */
  readonly hook: BeforeConnect | undefined;
  readonly tls: TlsPlan;
  readonly observer: PoolObserver;
  readonly logger: Logger;
}

/** Says to the pool in its own terms what config and options ask for. */
export function poolPlan(parts: Parts): PoolPlan {
  const { config, options, observer, logger } = parts;
  const dial = dialPlan(parts);
  return {
    ...options,
    dial,
    options: poolOptions(parts, dial),
    observer,
    logger,
    max: effectiveMax(config),
    min: effectiveMin(config),
    maxUses: options.maxUses || Infinity,
    lifetimeMs: effectiveLifetimeMs(config),
    lifetimeJitterMs: options.connMaxLifetimeJitterMs,
  };
}

function dialPlan({ config, options, hook, tls, logger }: Parts): DialPlan {
  const { host, port, user, password = '', database } = config;
  const warned = new Set<string>();
  const warn = (message: string, path: string): void => {
    if (warned.has(message)) return;
    warned.add(message);
    logger.warn({ path }, message);
  };
  return {
    target: () => ({
      host,
      port,
      user,
      password: config.dynamicAuth ? '' : password,
      database,
      ssl: tls.target(),
    }),
    beforeConnect: hook,
    hookIsToken: config.dynamicAuth !== undefined,
    afterConnect: options.afterConnect,
    check: checkTarget,
    findPassword: async (target) => (await findPassword(target, { warn })) ?? '',
    noPassword: `the server asks for a password and there is none: config.password is empty, and no line of PGPASSFILE (${passfilePath() ?? 'not set'}) matches`,
    finishTls: (ssl, dialed) => tls.finish(ssl, dialed),
    Client:
      options.queryTimeoutMs > 0
        ? clientWithQueryTimeout(options.queryTimeoutMs)
        : (pg.Client as unknown as ClientClass),
    settings: driverSettings(options),
    connectTimeoutMs: options.connectTimeoutMs,
  };
}

/** What a hook made of the target goes into the startup message, where a NUL would start the next parameter. */
function checkTarget({ host, port, user, password, database }: ConnectTarget): void {
  try {
    validateConfig({ host, port, user, password, database });
  } catch (error) {
    throw new ConfigError(`beforeConnect: ${(error as Error).message}`);
  }
}

function driverSettings({ pg: settings, keepAlive }: ResolvedOptions): ClientConfig {
  return {
    ...(settings as ClientConfig),
    // Explicit, or PGSSLNEGOTIATION would decide.
    sslnegotiation: 'postgres',
    keepAlive: keepAlive !== undefined,
    keepAliveInitialDelayMillis: keepAlive?.initialDelayMs ?? 0,
  };
}

/** What `pool.options` shows: enough for a tool that makes a pool of its own from it, and no secret in plain sight. */
function poolOptions({ config, options, tls }: Parts, dial: DialPlan): PoolConfig {
  const { host, port, user, database } = config;
  return {
    ...dial.settings,
    host,
    port,
    user,
    database,
    ssl: tls.finish(tls.target(), host),
    password: () => currentPassword(dial),
    max: effectiveMax(config),
    min: effectiveMin(config),
    maxUses: options.maxUses || Infinity,
    idleTimeoutMillis: options.idleTimeoutMs,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    maxLifetimeSeconds: effectiveLifetimeMs(config) / 1_000,
    allowExitOnIdle: true,
  };
}

/** A password good for one login now. */
async function currentPassword(dial: DialPlan): Promise<string> {
  const target = dial.target();
  const context: ConnectContext = {
    signal: AbortSignal.timeout(dial.connectTimeoutMs),
    refreshToken: (_source, refresh) => refresh(),
  };
  await dial.beforeConnect?.(target, context);
  return target.password || (await dial.findPassword(target));
}
