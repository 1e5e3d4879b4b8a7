import { totalsOf } from './figures.js';
import { countOf, quantile, type Buckets } from './quantiles.js';
import { openPools, type PoolReading, type Reading } from './reading.js';

/** The version of the shape below: it changes when a field is removed or its meaning changes, not when one is added. */
const SCHEMA = 1;

/** A reading for machines, as `docs/watch.md` describes it. */
export function jsonReading(reading: Reading, url: string, version: string): object {
  return {
    schema: SCHEMA,
    pgauge: version,
    url,
    at: new Date(reading.at).toISOString(),
    pools: openPools(reading).map((pool) => jsonPool(pool, reading)),
    left_out: reading.leftOut,
  };
}

function jsonPool(pool: PoolReading, reading: Reading): object {
  const { opened, closed, queries, queryErrors, waits, tokens } = totalsOf(reading, pool);
  return {
    ...{ pool: pool.pool, instance: pool.instance === '' ? null : pool.instance },
    ...{ used: pool.used, idle: pool.idle, connecting: pool.connecting, limit: pool.limit },
    ...{ pending: pool.pending, longest_wait_s: pool.longestWaitS },
    ...{ opened, closed: Object.fromEntries(closed), queries, query_errors: queryErrors },
    ...{ acquire: times(waits), token_refresh: times(tokens) },
  };
}

function times(buckets: Buckets): object {
  const at = (q: number): number | null => quantile(buckets, q) ?? null;
  return { count: countOf(buckets), p50_s: at(0.5), p95_s: at(0.95), p99_s: at(0.99) };
}
