import type { ClientConfig, PoolConfig } from 'pg';
import { effectiveLifetimeMs, effectiveMax, effectiveMin, type Config } from '../settings/config.js';
import { validateConfig } from '../settings/config-checks.js';
import { ConfigError } from '../errors.js';
import type { BeforeConnect, ConnectContext, ConnectTarget, Logger } from '../hooks.js';
import type { PoolObserver } from '../observer.js';
import type { PoolSettings } from '../settings/pool-settings.js';
import { findPassword, passfilePath } from '../connection/pgpass.js';
import type { DialPlan } from '../connection/dial.js';
import { pg, type ClientClass } from '../connection/driver.js';
import type { PoolPlan } from './pool.js';
import { clientWithQueryTimeout } from '../connection/query-timeout.js';
import type { TlsPlan } from '../connection/tls.js';

/** All that a pool is made of, once everything is known to be good. */
export interface Parts {
  readonly config: Config;
  readonly settings: PoolSettings;
  /** What runs before each attempt: the token hook of `dynamicAuth`, or the user's. */
  readonly hook: BeforeConnect | undefined;
  readonly tls: TlsPlan;
  readonly observer: PoolObserver;
  readonly logger: Logger;
}

/** Translates config and settings into the terms of the pool. */
export function poolPlan(parts: Parts): PoolPlan {
  const { config, settings, observer, logger } = parts;
  const dial = dialPlan(parts);
  return {
    ...settings,
    dial,
    options: poolOptions(parts, dial),
    observer,
    logger,
    max: effectiveMax(config),
    min: effectiveMin(config),
    maxUses: settings.maxUses || Infinity,
    lifetimeMs: effectiveLifetimeMs(config),
    lifetimeJitterMs: settings.connMaxLifetimeJitterMs,
  };
}

function dialPlan({ config, settings, hook, tls, logger }: Parts): DialPlan {
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
    afterConnect: settings.afterConnect,
    check: checkTarget,
    findPassword: async (target) => (await findPassword(target, { warn })) ?? '',
    noPassword: `the server asks for a password and there is none: config.password is empty, and no line of PGPASSFILE (${passfilePath() ?? 'not set'}) matches`,
    finishTls: (ssl, dialed) => tls.finish(ssl, dialed),
    Client:
      settings.queryTimeoutMs > 0
        ? clientWithQueryTimeout(settings.queryTimeoutMs)
        : (pg.Client as unknown as ClientClass),
    settings: driverSettings(settings),
    connectTimeoutMs: settings.connectTimeoutMs,
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

function driverSettings({ pg: given, keepAlive }: PoolSettings): ClientConfig {
  return {
    ...(given as ClientConfig),
    // Explicit, or PGSSLNEGOTIATION would decide.
    sslnegotiation: 'postgres',
    keepAlive: keepAlive !== undefined,
    keepAliveInitialDelayMillis: keepAlive?.initialDelayMs ?? 0,
  };
}

/** What `pool.options` shows: enough for a tool that makes a pool of its own from it, and no secret in plain sight. */
function poolOptions({ config, settings, tls }: Parts, dial: DialPlan): PoolConfig {
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
    maxUses: settings.maxUses || Infinity,
    idleTimeoutMillis: settings.idleTimeoutMs,
    connectionTimeoutMillis: settings.acquireTimeoutMs,
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
