import type { Attributes, BatchObservableResult, Meter } from '@opentelemetry/api';
import {
  CANCEL_REASONS,
  CLOSE_REASONS,
  type CancelReason,
  type CloseReason,
  type PoolGauges,
} from '../../observer.js';
import { quietly } from '../guard.js';
import { infoAttributes, type PoolIdentity } from '../identity.js';
import { ATTR, CONNECTION_STATES } from '../names.js';
import type { MeterCredentials } from './credentials.js';
import { createObservables, type Observables } from './observables.js';
import { finalTally, type Tally } from './tally.js';

type ConnectionState = (typeof CONNECTION_STATES)[number];

/** All observables of one meter, and the pools from which they are read at collection. */
export class ObservedPools {
  readonly #pools = new Set<ObservedPool>();
  readonly #observables: Observables;
  readonly #credentials: MeterCredentials;

  constructor(meter: Meter, credentials: MeterCredentials) {
    this.#credentials = credentials;
    this.#observables = createObservables(meter);
    meter.addBatchObservableCallback((result) => this.#observe(result), Object.values(this.#observables));
  }

  /** Starts to observe a pool; it is removed after `retire()` and one more collection. */
  add(pool: ObservedPool): void {
    this.#pools.add(pool);
  }

  #observe(result: BatchObservableResult): void {
    // In order of insertion: a new pool with the name of an ended one comes later, so its values replace the old ones.
    for (const pool of this.#pools) {
      // Each pool on its own: if one cannot be read, the others are still reported.
      quietly(() => pool.observe(result, this.#observables));
      if (pool.retired) this.#pools.delete(pool);
    }
    quietly(() => this.#credentials.observe(result, this.#observables.credentialsExpiration));
  }
}

/** One pool as one meter observes it; all attribute objects are created here, none at collection. */
export class ObservedPool {
  readonly #pool: Attributes;
  readonly #states: readonly (readonly [ConnectionState, Attributes])[];
  readonly #info: Attributes;
  readonly #reasons: readonly (readonly [CloseReason, Attributes])[];
  readonly #canceled: readonly (readonly [CancelReason, Attributes])[];
  readonly #hosts: readonly Attributes[];
  #hasIdleMin = false;
  #gauges: PoolGauges;
  #tally: Tally;
  #retired = false;

  constructor(identity: PoolIdentity, poolName: string, gauges: PoolGauges, tally: Tally) {
    this.#pool = { [ATTR.poolName]: poolName };
    this.#states = CONNECTION_STATES.map(
      (state) => [state, { ...this.#pool, [ATTR.connectionState]: state }] as const,
    );
    this.#info = infoAttributes(identity, poolName);
    this.#reasons = CLOSE_REASONS.map(
      (reason) => [reason, { ...this.#pool, [ATTR.closeReason]: reason }] as const,
    );
    this.#canceled = CANCEL_REASONS.map(
      (reason) => [reason, { ...this.#pool, [ATTR.queryCancelReason]: reason }] as const,
    );
    this.#hosts = gauges.hosts.map(({ host, port }) => ({
      ...this.#pool,
      [ATTR.serverAddress]: host,
      [ATTR.serverPort]: port,
    }));
    this.#gauges = gauges;
    this.#tally = tally;
  }

  /** Whether the pool has ended or moved to another meter. */
  get retired(): boolean {
    return this.#retired;
  }

  /** Freezes the counters and sets the other values to 0 for the last observation, because an SDK repeats the last value. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#tally = finalTally(this.#tally);
    // A copy, so that the meter does not keep the ended pool in memory.
    this.#gauges = finalGauges(this.#gauges);
  }

  observe(result: BatchObservableResult, to: Observables): void {
    const gauges = this.#gauges;
    const tally = this.#tally;
    const pool = this.#pool;
    for (const [state, attributes] of this.#states)
      result.observe(to.connectionCount, gauges[state], attributes);
    result.observe(to.connectionLimit, gauges.limit, pool);
    // Once there has been a value, it is always reported, because an SDK repeats the last value.
    this.#hasIdleMin ||= gauges.idleMin > 0;
    if (this.#hasIdleMin) result.observe(to.connectionIdleMin, gauges.idleMin, pool);
    result.observe(to.pendingRequests, gauges.pending, pool);
    result.observe(to.rejectedAcquires, gauges.rejectedAcquires, pool);
    if (gauges.pipelined !== undefined) result.observe(to.pipelined, gauges.pipelined, pool);
    result.observe(to.unreachable, gauges.unreachable ? 1 : 0, pool);
    for (const [index, attributes] of this.#hosts.entries())
      result.observe(to.hostConnections, gauges.hosts[index]?.connections ?? 0, attributes);
    result.observe(to.longestUse, gauges.longestUseMs / 1000, pool);
    result.observe(to.longestWait, gauges.longestWaitMs / 1000, pool);
    result.observe(to.timeouts, gauges.acquireTimeouts, pool);
    result.observe(to.emptyAcquires, gauges.emptyAcquires, pool);
    result.observe(to.emptyAcquireWaitTime, gauges.emptyAcquireWaitMs / 1000, pool);
    result.observe(to.canceledAcquires, gauges.canceledAcquires, pool);
    result.observe(to.connectionOpened, tally.opened, pool);
    for (const [reason, attributes] of this.#reasons)
      result.observe(to.connectionClosed, tally.closed[reason], attributes);
    for (const [reason, attributes] of this.#canceled)
      result.observe(to.queryCanceled, tally.canceled[reason], attributes);
    result.observe(to.poolInfo, this.#retired ? 0 : 1, this.#info);
  }
}

function finalGauges(last: PoolGauges): PoolGauges {
  return {
    used: 0,
    idle: 0,
    connecting: 0,
    hosts: [],
    limit: 0,
    idleMin: 0,
    pending: 0,
    pipelined: last.pipelined === undefined ? undefined : 0,
    unreachable: false,
    longestUseMs: 0,
    longestWaitMs: 0,
    acquireTimeouts: last.acquireTimeouts,
    emptyAcquires: last.emptyAcquires,
    emptyAcquireWaitMs: last.emptyAcquireWaitMs,
    rejectedAcquires: last.rejectedAcquires,
    canceledAcquires: last.canceledAcquires,
  };
}
