import type { InstrumentedPool, PoolStat } from '../../src/index.js';
import type { Workload } from '../demo/workload.js';

const EVENTS = ['connect', 'acquire', 'release', 'remove'] as const;

/** The state of the pool that the application knows without telemetry. */
export interface Truth {
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly stat: PoolStat;
  /** The number of requests that wait for a connection. */
  readonly waiting: number;
  /** Cumulative: events of the pool. */
  readonly events: Readonly<Record<(typeof EVENTS)[number], number>>;
  /** Cumulative: acquired connections, successful queries, and failed requests by error code. */
  readonly work: {
    readonly acquires: number;
    readonly queries: number;
    readonly errors: Readonly<Record<string, number>>;
  };
  /** The number of connections leaked on purpose. */
  readonly leaked: number;
}

/** Counts a pool's events from now on; returns a function that reads the counts. */
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
