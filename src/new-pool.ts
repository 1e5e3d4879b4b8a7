import { checkDynamicAuth, CREDENTIALS } from './auth/backends.js';
import { checkDynamicAuthPackages, newDynamicAuthFunc } from './auth/index.js';
import { effectiveSslMode, type Config } from './settings/config.js';
import { copyConfig, refuseTokenInClear } from './settings/config-checks.js';
import { logValue } from './settings/redacted-view.js';
import { ConfigError } from './errors.js';
import type { BeforeConnect } from './hooks.js';
import type { PoolOptions } from './settings/options.js';
import { poolSettings, type PoolSettings } from './settings/pool-settings.js';
import { isNativeClient } from './connection/driver.js';
import { InstrumentedPool } from './pool/pool.js';
import { poolPlan } from './pool/plan.js';
import { observePool } from './telemetry/index.js';
import { LOG } from './telemetry/logs/records.js';
import { defaultLogger } from './telemetry/logs/logger.js';
import { startPoolStatsLogger } from './telemetry/logs/stats-logger.js';
import { planTls } from './connection/tls.js';

/**
 * Makes a pool without dialling: it succeeds with the server down, and the first query reports.
 * Throws ConfigError for what is refused (`invalid configuration: …`), AuthError when the region or a package of
 * `dynamicAuth` cannot be had, and the reason of `options.signal` when that is aborted first.
 */
export async function newPool(config: Config, options?: PoolOptions): Promise<InstrumentedPool> {
  const [given, settings] = checked(config, options);
  settings.signal?.throwIfAborted();

  const hook = given.dynamicAuth ? await dynamicAuth(given, settings.signal) : settings.beforeConnect;
  const tls = await planTls(effectiveSslMode(given), settings.ssl);
  settings.signal?.throwIfAborted();

  const telemetry = observePool(
    {
      poolName: settings.poolName,
      host: given.host,
      port: given.port,
      database: given.database,
      authProvider: checkDynamicAuth(given.dynamicAuth)?.name,
      tlsMode: tls.mode,
    },
    { ...settings, logger: settings.logger ?? defaultLogger(), credentials: CREDENTIALS },
  );

  const plan = poolPlan({
    config: given,
    settings,
    hook,
    tls,
    observer: telemetry.observer,
    logger: telemetry.logger,
  });
  const pool = new InstrumentedPool(plan);
  telemetry.watch(pool.gauges);
  telemetry.logger.info({ config: logValue(given), pool: telemetry.poolName }, LOG.poolCreated.message);
  pool.start();
  settings.signal?.addEventListener('abort', () => pool.stopFilling(), {
    once: true,
    signal: pool.endSignal,
  });
  if (settings.statsLog !== undefined) startPoolStatsLogger(pool, settings.statsLog);
  return pool;
}

function checked(config: unknown, options: unknown): [Config, PoolSettings] {
  if (config === null || config === undefined) throw new ConfigError('config is nil');
  try {
    const given = copyConfig(config);
    const settings = poolSettings(options, given);
    if (isNativeClient()) {
      throw new ConfigError(
        'pg was loaded with its native binding (NODE_PG_FORCE_NATIVE), which is not supported',
      );
    }
    if (given.dynamicAuth && settings.beforeConnect) {
      throw new ConfigError(
        'dynamicAuth and beforeConnect are mutually exclusive: to have both, call newDynamicAuthFunc, ' +
          'await its hook from yours, and leave dynamicAuth out of the config that newPool gets',
      );
    }
    refuseTokenInClear(given);
    return [given, settings];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`invalid configuration: ${error.message}`, { cause: error.cause });
  }
}

async function dynamicAuth(config: Config, signal: AbortSignal | undefined): Promise<BeforeConnect> {
  await checkDynamicAuthPackages(config);
  return await newDynamicAuthFunc(config, config.user, { signal });
}
