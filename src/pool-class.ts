import type { PoolConfig } from 'pg';
import { composedSync } from './new-pool.js';
import { overPgConfig } from './pg-config/index.js';
import { InstrumentedPool } from './pool/pool.js';
import { copyConfig } from './settings/config-checks.js';
import type { Config } from './settings/config.js';
import type { PoolOptions } from './settings/options.js';

/** A class of pools, in place of `pg.Pool`. */
export type PoolClass = new (poolConfig?: PoolConfig | null) => InstrumentedPool;

/**
 * Makes a class for tools that make their pools themselves (`{ Pool: poolClass(config) }` as TypeORM's `driver`): each
 * instance is a pool like that of `newPoolSync(config, options)`. Settings that a tool passes to the constructor win,
 * and are read as by `fromPgConfig`; dropped ones are named in the log record of the pool's creation. Throws
 * ConfigError for an invalid config; the constructor throws like `newPoolSync`.
 */
export function poolClass(config: Config, options?: PoolOptions): PoolClass {
  const base = { config: copyConfig(config), options: { ...options, pg: { ...options?.pg } } };
  return class extends InstrumentedPool {
    static override readonly name = InstrumentedPool.name;

    constructor(poolConfig?: PoolConfig | null) {
      const made = overPgConfig(base, poolConfig);
      const { plan, begin } = composedSync(made.config, made.options, made.dropped);
      super(plan);
      begin(this);
    }
  };
}
