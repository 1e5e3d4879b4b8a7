import { createRequire } from 'node:module';
import type pgModule from 'pg';
import type { Config, PoolOptions } from '../../src/index.js';
import type { AnyPool } from './program.js';
import { silentLogger } from './silent-logger.js';

/** The maximum number of queries in flight on one connection, with `pipelining`. */
const DEPTH = 16;

const require = createRequire(import.meta.url);

/** The settings of a contender's pool, for `pg` and for pgauge. */
export interface PoolRecipe {
  raw(): pgModule.PoolConfig | Promise<pgModule.PoolConfig>;
  pgauge(): { config: Config; options?: PoolOptions };
}

/**
 * Opens the pool of a contender. Its words, in any order: `raw`, `instrumented` or `pgauge`; `metrics` and `traces`
 * register that part of the SDK, `unsampled` registers traces without sampling any, `context` only the context manager
 * of tracing; `noop-meter` gives pgauge a meter that does nothing; `queries` turns on its query telemetry, with spans
 * if `traces` is given; `pipelining` lets its queries share connections, up to 16 on each; `direct` begins TLS without
 * asking the server; `floor` is `raw` with the SDK's two values recorded by hand, with `queries` a third one, and with
 * `traces` a span, too; `again` has no effect, and makes a second contender of the same kind.
 */
export async function openPool(contender: string, recipe: PoolRecipe): Promise<AnyPool> {
  const words = new Set(contender.split(' '));
  // Loaded only for contenders that use it.
  if (['metrics', 'context', 'traces', 'unsampled'].some((word) => words.has(word))) await register(words);
  if (words.has('instrumented')) {
    const { PgInstrumentation } = await import('@opentelemetry/instrumentation-pg');
    new PgInstrumentation().enable();
  }
  if (words.has('pgauge')) {
    const { newPool } = await import('../../src/index.js');
    const { config, options } = recipe.pgauge();
    const queries = words.has('queries') && {
      queryTelemetry: { spans: words.has('traces') ? 'always' : 'never' } as const,
    };
    const noop = words.has('noop-meter') && { meter: (await import('@opentelemetry/api')).createNoopMeter() };
    const pipelining = words.has('pipelining') && { pipelining: { depth: DEPTH } };
    return await newPool(config, { logger: silentLogger, ...noop, ...queries, ...pipelining, ...options });
  }
  // Loaded with `require`, which the instrumentation patches.
  const pg = require('pg') as typeof pgModule;
  const pool = new pg.Pool(await recipe.raw());
  pool.on('error', () => undefined);
  if (!words.has('floor')) return pool;
  const measured = words.has('queries');
  return (await import('./floor.js')).withRecords(pool, measured, measured && words.has('traces'));
}

let registered = false;

/** Registers the SDK, once per process: all its pools are of one contender. */
async function register(words: ReadonlySet<string>): Promise<void> {
  if (registered) return;
  registered = true;
  const { registerContext, registerMetrics, registerTraces } = await import('./telemetry.js');
  if (words.has('metrics')) registerMetrics();
  if (words.has('context')) registerContext();
  if (words.has('traces')) registerTraces(true);
  if (words.has('unsampled')) registerTraces(false);
}
