import type { PoolConfig } from 'pg';
import { currentPassword, dialPlan, type DialParts, type DialPlan } from '../connection/plan.js';
import type { Logger, OnAcquire, ResetSession } from '../hooks.js';
import type { PoolObserver } from '../observer.js';
import { clientClass } from '../queries/client-class.js';
import { firstPlace } from '../settings/hosts.js';
import type { PipeliningSettings } from '../settings/pipelining.js';
import { effectiveLifetimeMs, effectiveMax, effectiveMin } from '../settings/config.js';

/** The plan from which a pool is made; times in milliseconds, 0 means off. */
export interface PoolPlan {
  readonly dial: DialPlan;
  /** The value of `pool.options`, under node-postgres' names. */
  readonly options: PoolConfig;
  readonly observer: PoolObserver;
  readonly logger: Logger;
  readonly max: number;
  readonly min: number;
  readonly maxConnecting: number;
  readonly maxUses: number;
  readonly lifetimeMs: number;
  readonly lifetimeJitterMs: number;
  readonly idleTimeoutMs: number;
  readonly healthCheckPeriodMs: number;
  readonly acquireTimeoutMs: number;
  readonly connectRetryMs: number;
  readonly maxPending: number;
  readonly endTimeoutMs: number;
  readonly leakDetectionMs: number;
  readonly onAcquire: OnAcquire | undefined;
  readonly resetSession: ResetSession | undefined;
  readonly pipelining: PipeliningSettings | undefined;
}

/** The engine's limits that no option changes, in milliseconds. */
export const ENGINE_TIMES = {
  /** A connection that was idle for longer is pinged before it is handed out, as in pgxpool. */
  pingAfterMs: 1_000,
  /** How long a returned connection may take to become ready for queries. */
  settleMs: 1_000,
} as const;

/** The checked parts from which a pool is made. */
export interface PoolParts extends Omit<DialParts, 'Client'> {
  readonly observer: PoolObserver;
}

/** Translates the settings of a pool into its plan. */
export function poolPlan(parts: PoolParts): PoolPlan {
  const { config, settings, observer, logger } = parts;
  const dial = dialPlan({ ...parts, Client: clientClass(settings.queryTimeoutMs, observer) });
  return {
    ...settings,
    dial,
    options: poolOptions(parts, dial),
    observer,
    logger,
    max: effectiveMax(config),
    min: effectiveMin(config),
    maxUses: settings.maxUses || Infinity,
    maxPending: settings.maxPending || Infinity,
    lifetimeMs: effectiveLifetimeMs(config),
    lifetimeJitterMs: settings.connMaxLifetimeJitterMs,
  };
}

/** The value of `pool.options`: enough for a tool to make its own pool from it, without showing a secret. */
function poolOptions({ config, settings, tls }: PoolParts, dial: DialPlan): PoolConfig {
  const { user, database } = config;
  const { host, port } = firstPlace(config);
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
