import { checkDynamicAuth } from './auth/backends.js';
import { checkDynamicAuthPackages, poolAuthFunc, poolAuthFuncSync } from './auth/index.js';
import { effectiveSslMode, type Config } from './settings/config.js';
import { copyConfig, refuseTokenInClear } from './settings/config-checks.js';
import { applicationName } from './settings/driver-settings.js';
import { firstPlace } from './settings/hosts.js';
import { logValue } from './settings/redacted-view.js';
import { onAbort } from './deadline.js';
import { ConfigError } from './errors.js';
import type { BeforeConnect } from './hooks.js';
import type { PoolOptions } from './settings/options.js';
import { poolSettings, type PoolSettings } from './settings/pool-settings.js';
import { canBeginTls, canPipeline, isNativeClient } from './connection/driver.js';
import { InstrumentedPool } from './pool/pool.js';
import { poolPlan, type PoolPlan } from './pool/plan.js';
import { observePool } from './telemetry/index.js';
import { LOG } from './telemetry/logs/records.js';
import { defaultLogger } from './telemetry/logs/logger.js';
import { startPoolStatsLogger } from './telemetry/logs/stats-logger.js';
import { planTls, planTlsSync, type TlsPlan } from './connection/tls.js';

/**
 * Makes a pool without dialling: it succeeds even if the server is down, which the first query then reports.
 * Throws ConfigError for invalid settings (`invalid configuration: …`), AuthError when the region or a package of
 * `dynamicAuth` is not available or a host's name should contain the region but does not, and the reason of
 * `options.signal` when that is aborted first.
 */
export async function newPool(config: Config, options?: PoolOptions): Promise<InstrumentedPool> {
  const [given, settings] = checked(config, options);
  settings.signal?.throwIfAborted();
  await checkDynamicAuthPackages(given);

  const ended = new AbortController();
  const hook = given.dynamicAuth
    ? await poolAuthFunc(given, given.user, { signal: settings.signal, ended: ended.signal })
    : settings.beforeConnect;
  const tls = await planTls(effectiveSslMode(given), settings.ssl);
  settings.signal?.throwIfAborted();
  return begun(composed(given, settings, { hook, ended }, tls));
}

/**
 * Makes a pool like `newPool`, but synchronously: files are read synchronously, region `"detect"` is refused because it
 * needs a call to the instance metadata service, and a missing package of `dynamicAuth` is reported by the first query.
 * Throws the errors with which `newPool` rejects.
 */
export function newPoolSync(config: Config, options?: PoolOptions): InstrumentedPool {
  return begun(composedSync(config, options));
}

/** The plan of a pool, and the function to call once the pool is made. */
export interface Composition {
  readonly plan: PoolPlan;
  begin(pool: InstrumentedPool): void;
}

/** Composes the pool of `newPoolSync`; `dropped` names given settings that have no effect, for the log. */
export function composedSync(
  config: Config,
  options: PoolOptions | undefined,
  dropped: readonly string[] = [],
): Composition {
  const [given, settings] = checked(config, options);
  settings.signal?.throwIfAborted();

  const ended = new AbortController();
  const hook = given.dynamicAuth
    ? refusing(() => poolAuthFuncSync(given, given.user, { ended: ended.signal }))
    : settings.beforeConnect;
  return composed(
    given,
    settings,
    { hook, ended },
    planTlsSync(effectiveSslMode(given), settings.ssl),
    dropped,
  );
}

/** The hook that runs before each attempt, and the controller that notifies it of the pool's end. */
interface AttemptHook {
  readonly hook: BeforeConnect | undefined;
  readonly ended: AbortController;
}

function composed(
  config: Config,
  settings: PoolSettings,
  { hook, ended }: AttemptHook,
  tls: TlsPlan,
  dropped: readonly string[] = [],
): Composition {
  const { database } = config;
  const { host, port } = firstPlace(config);
  const telemetry = observePool(
    {
      poolName: settings.poolName,
      host,
      port,
      database,
      authProvider: checkDynamicAuth(config.dynamicAuth)?.provider,
      tlsMode: tls.mode,
    },
    {
      ...settings,
      logger: settings.logger ?? defaultLogger(),
      application: applicationName(settings.pg),
    },
  );
  const { observer, logger, poolName } = telemetry;
  return {
    plan: poolPlan({ config, settings, hook, tls, observer, logger }),
    begin(pool) {
      telemetry.watch(pool.gauges);
      const created = { config: logValue(config), pool: poolName, ...(dropped.length > 0 && { dropped }) };
      logger.info(created, LOG.poolCreated.message);
      pool.start();
      onAbort(pool.endSignal, () => ended.abort());
      if (settings.signal)
        onAbort(
          pool.endSignal,
          onAbort(settings.signal, () => pool.stopFilling()),
        );
      if (settings.statsLog !== undefined) startPoolStatsLogger(pool, settings.statsLog);
    },
  };
}

function begun({ plan, begin }: Composition): InstrumentedPool {
  const pool = new InstrumentedPool(plan);
  begin(pool);
  return pool;
}

function checked(config: unknown, options: unknown): [Config, PoolSettings] {
  if (config === null || config === undefined) throw new ConfigError('config is nil');
  return refusing(() => {
    const given = copyConfig(config);
    const settings = poolSettings(options, given);
    if (isNativeClient()) {
      throw new ConfigError(
        'pg was loaded with its native binding (NODE_PG_FORCE_NATIVE), which is not supported',
      );
    }
    if (settings.pipelining && !canPipeline()) throw new ConfigError('pipelining needs pg 8.23 or later');
    if (settings.ssl?.negotiation === 'direct' && !canBeginTls()) {
      throw new ConfigError("ssl.negotiation 'direct' needs pg 8.22 or later");
    }
    if (given.dynamicAuth && settings.beforeConnect) {
      throw new ConfigError(
        'dynamicAuth and beforeConnect are mutually exclusive: to have both, call newDynamicAuthFunc, ' +
          'await its hook from yours, and leave dynamicAuth out of the config that newPool gets',
      );
    }
    // The answer of `dial` may say that its stream is encrypted.
    if (settings.dial === undefined) refuseTokenInClear(given);
    return [given, settings];
  });
}

function refusing<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`invalid configuration: ${error.message}`, { cause: error.cause });
  }
}
