import type { InstrumentedPool, PoolStat } from '../../src/index.js';
import type { Workload } from '../demo/workload.js';

const EVENTS = ['connect', 'acquire', 'release', 'remove'] as const;

/** What the application knows of its pool without any telemetry. */
export interface Truth {
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly stat: PoolStat;
  /** Requests that wait for a connection. */
  readonly waiting: number;
  /** Cumulative: events of the pool. */
  readonly events: Readonly<Record<(typeof EVENTS)[number], number>>;
  /** Cumulative, from connections that were acquired and queries that succeeded; `errors` by code. */
  readonly work: {
    readonly acquires: number;
    readonly queries: number;
    readonly errors: Readonly<Record<string, number>>;
  };
  /** Connections that are kept on purpose. */
  readonly leaked: number;
}

/** Counts a pool's events from now on; returns what reads the counts. */
export function countEvents(pool: InstrumentedPool): () => Truth['events'] {
  const counts = { connect: 0, acquire: 0, release: 0, remove: 0 };
  for (const name of EVENTS) pool.on(name, () => void (counts[name] += 1));
  return () => ({ ...counts });
}

/** Reads everything at one moment. */
export function truthOf(
  pool: InstrumentedPool,
  events: () => Truth['events'],
  workload: Workload,
  leak: { readonly count: number; readonly acquires: number },
): Truth {
  const { acquires, queries, errors } = workload.tally();
  return {
    at: Date.now(),
    stat: pool.stat(),
    waiting: pool.waitingCount,
    events: events(),
    work: { acquires: acquires + leak.acquires, queries, errors: Object.fromEntries(errors) },
    leaked: leak.count,
  };
}
