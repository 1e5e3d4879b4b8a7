import { checkDynamicAuth, CREDENTIALS } from './auth/backends.js';
import { checkDynamicAuthPackages, newDynamicAuthFunc } from './auth/index.js';
import { copyConfig, effectiveSslMode, refuseTokenInClear, type Config } from './settings/config.js';
import { logValue } from './settings/redacted-view.js';
import { ConfigError } from './errors.js';
import type { BeforeConnect } from './hooks.js';
import { resolveOptions, type PoolOptions, type ResolvedOptions } from './settings/options.js';
import { isNativeClient } from './connection/driver.js';
import { InstrumentedPool } from './pool/pool.js';
import { poolPlan } from './pool/plan.js';
import { observePool } from './telemetry/index.js';
import { LOG } from './telemetry/logs/records.js';
import { defaultLogger, guardLogger } from './telemetry/logs/logger.js';
import { startPoolStatsLogger } from './telemetry/logs/stats-logger.js';
import { planTls } from './connection/tls.js';

/**
 * Makes a pool without dialling: it succeeds with the server down, and the first query reports.
 * Throws ConfigError for what is refused (`invalid configuration: …`), AuthError when the region or a package of
 * `dynamicAuth` cannot be had, and the reason of `options.signal` when that is aborted first.
 */
export async function newPool(config: Config, options?: PoolOptions): Promise<InstrumentedPool> {
  const [given, resolved] = checked(config, options);
  resolved.signal?.throwIfAborted();

  const hook = given.dynamicAuth ? await dynamicAuth(given, resolved.signal) : resolved.beforeConnect;
  const tls = await planTls(effectiveSslMode(given), resolved.ssl);
  resolved.signal?.throwIfAborted();

  const logger = guardLogger(resolved.logger ?? defaultLogger());
  const telemetry = observePool(
    {
      poolName: resolved.poolName,
      host: given.host,
      port: given.port,
      database: given.database,
      authProvider: checkDynamicAuth(given.dynamicAuth)?.name,
      tlsMode: tls.mode,
    },
    { ...resolved, logger, credentials: CREDENTIALS[0] },
  );

  const plan = poolPlan({
    config: given,
    options: resolved,
    hook,
    tls,
    observer: telemetry.observer,
    logger,
  });
  const pool = new InstrumentedPool(plan);
  telemetry.watch(pool.gauges);
  logger.info({ config: logValue(given), pool: telemetry.poolName }, LOG.poolCreated.message);
  pool.start();
  resolved.signal?.addEventListener('abort', () => pool.stopFilling(), {
    once: true,
    signal: pool.endSignal,
  });
  if (resolved.statsLog !== undefined) startPoolStatsLogger(pool, resolved.statsLog);
  return pool;
}

function checked(config: unknown, options: unknown): [Config, ResolvedOptions] {
  if (config === null || config === undefined) throw new ConfigError('config is nil');
  try {
    const given = copyConfig(config);
    const resolved = resolveOptions(options, given);
    if (isNativeClient()) {
      throw new ConfigError(
        'pg was loaded with its native binding (NODE_PG_FORCE_NATIVE), which is not supported',
      );
    }
    if (given.dynamicAuth && resolved.beforeConnect) {
      throw new ConfigError(
        'dynamicAuth and beforeConnect are mutually exclusive: to have both, call newDynamicAuthFunc, ' +
          'await its hook from yours, and leave dynamicAuth out of the config that newPool gets',
      );
    }
    refuseTokenInClear(given);
    return [given, resolved];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`invalid configuration: ${error.message}`, { cause: error.cause });
  }
}

function dynamicAuth(config: Config, signal: AbortSignal | undefined): Promise<BeforeConnect> {
  checkDynamicAuthPackages(config);
  return newDynamicAuthFunc(config, config.user, { signal });
}
