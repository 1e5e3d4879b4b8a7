import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { MAX_TIMER_MS, onAbort } from '../../deadline.js';
import { ConfigError } from '../../errors.js';
import type { Logger } from '../../hooks.js';
import type { PoolStat } from '../../pool/stat.js';
import { guardLogger } from './logger.js';
import { LOG, wholeMs, type LogFields } from './records.js';

/** Milliseconds between two records of `startPoolStatsLogger` when `intervalMs` is 0 or unset: one minute. */
export const DEFAULT_POOL_STATS_INTERVAL_MS = 60_000;

/**
 * The part of a pool that the stats logger uses.
 * @inline
 */
export interface StatsSource {
  /** The pool's statistics. */
  stat(): PoolStat;
  /** The pool's logger. */
  readonly logger: Logger;
  /** Aborted when the pool ends. */
  readonly endSignal: AbortSignal;
}

/** Options of `startPoolStatsLogger`. */
export interface PoolStatsLoggerOptions {
  /** Logger to write to; default the pool's. */
  readonly logger?: Logger | null | undefined;
  /** Milliseconds between two records; default and 0: 60 000. */
  readonly intervalMs?: number | undefined;
  /** Stops the logger when aborted; default none. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a debug record `postgres pool stats` with all of `pool.stat()` every `intervalMs` (default 60 000 ms) until the
 * signal aborts, the pool ends or the result is disposed; its timer never keeps the process alive, and without a pool it
 * does nothing. Throws `ConfigError` when `intervalMs` is negative, not finite or above 2^31 - 1.
 */
export function startPoolStatsLogger(
  pool: StatsSource | null | undefined,
  options: PoolStatsLoggerOptions = {},
): Disposable {
  const intervalMs = checkedInterval(options.intervalMs);
  const signals = [options.signal, pool?.endSignal].filter((signal) => signal !== undefined);
  if (pool === null || pool === undefined || signals.some((signal) => signal.aborted))
    return { [Symbol.dispose]: () => undefined };

  const logger = guardLogger(options.logger ?? pool.logger);
  const write = (): void => {
    try {
      logger.debug(statFields(pool.stat()), LOG.poolStats.message);
    } catch {
      // Skip a record that cannot be written; the next interval brings another.
    }
  };
  // In the root context: otherwise every record would carry the trace that was active when the logger started.
  const timer = context.with(ROOT_CONTEXT, () => setInterval(write, intervalMs));
  timer.unref();
  const stop = (): void => {
    clearInterval(timer);
    for (const forget of following) forget();
  };
  const following = signals.map((signal) => onAbort(signal, stop));
  return { [Symbol.dispose]: stop };
}

function checkedInterval(intervalMs: number | undefined): number {
  if (intervalMs === undefined || intervalMs === 0) return DEFAULT_POOL_STATS_INTERVAL_MS;
  if (typeof intervalMs !== 'number' || !(intervalMs > 0 && intervalMs <= MAX_TIMER_MS)) {
    throw new ConfigError(`intervalMs must be a number of milliseconds between 0 and ${MAX_TIMER_MS}`);
  }
  return intervalMs;
}

const KEYS: Readonly<Record<keyof PoolStat, keyof LogFields<typeof LOG.poolStats>>> = {
  totalConns: 'total_conns',
  acquiredConns: 'acquired_conns',
  idleConns: 'idle_conns',
  constructingConns: 'constructing_conns',
  maxConns: 'max_conns',
  acquireCount: 'acquire_count',
  acquireDurationMs: 'acquire_duration_ms',
  canceledAcquireCount: 'canceled_acquire_count',
  emptyAcquireCount: 'empty_acquire_count',
  emptyAcquireWaitTimeMs: 'empty_acquire_wait_time_ms',
  newConnsCount: 'new_conns_count',
  maxLifetimeDestroyCount: 'max_lifetime_destroy_count',
  maxIdleDestroyCount: 'max_idle_destroy_count',
};

function statFields(stat: PoolStat): Record<string, number> {
  const keys = Object.keys(KEYS) as (keyof PoolStat)[];
  // Counts are already whole numbers.
  return Object.fromEntries(keys.map((key) => [KEYS[key], wholeMs(stat[key])]));
}
