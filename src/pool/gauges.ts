import { severalHosts, type HostsPlan } from '../connection/hosts/plan.js';
import type { HostGauge, PoolGauges } from '../observer.js';
import type { EngineState } from '../engine/state.js';
import type { PoolStat } from './stat.js';

type State = EngineState<unknown, unknown>;

/** A live view of the engine: each property is computed when it is read. */
export class EngineGauges implements PoolGauges {
  readonly #state: State;
  readonly #upkeep: { readonly min: number };
  readonly hosts: readonly HostGauge[];
  readonly #queries: { readonly pipelined: number | undefined };

  constructor(
    state: State,
    upkeep: { readonly min: number },
    queries: { readonly pipelined: number | undefined },
    hosts: HostsPlan | undefined,
  ) {
    this.hosts = severalHosts(hosts);
    this.#state = state;
    this.#upkeep = upkeep;
    this.#queries = queries;
  }

  get limit(): number {
    return this.#state.max;
  }
  get idleMin(): number {
    return this.#upkeep.min;
  }

  get used(): number {
    return this.#state.used;
  }
  get idle(): number {
    return this.#state.idle;
  }
  get connecting(): number {
    return this.#state.connecting;
  }
  get pending(): number {
    return this.#state.pending;
  }
  get pipelined(): number | undefined {
    return this.#queries.pipelined;
  }
  get unreachable(): boolean {
    return this.#state.unreachable;
  }
  get longestUseMs(): number {
    const holder = this.#state.oldestHolder;
    return holder === undefined ? 0 : performance.now() - holder.heldSince;
  }
  get longestWaitMs(): number {
    const waiter = this.#state.oldestWaiter;
    return waiter === undefined ? 0 : performance.now() - waiter.startedAt;
  }
  get acquireTimeouts(): number {
    return this.#state.counts.acquireTimeoutCount;
  }
  get emptyAcquires(): number {
    return this.#state.counts.emptyAcquireCount;
  }
  get emptyAcquireWaitMs(): number {
    return this.#state.counts.emptyAcquireWaitMs;
  }
  get rejectedAcquires(): number {
    return this.#state.counts.rejectedAcquireCount;
  }
  get canceledAcquires(): number {
    return this.#state.counts.canceledAcquireCount;
  }
}

/** A snapshot of an engine under pgxpool's names. */
export function statOf({ total, max, used, idle, connecting, counts }: State): PoolStat {
  return {
    totalConns: total,
    acquiredConns: used,
    idleConns: idle,
    constructingConns: connecting,
    maxConns: max,
    acquireCount: counts.acquireCount,
    acquireDurationMs: counts.acquireDurationMs,
    canceledAcquireCount: counts.canceledAcquireCount,
    emptyAcquireCount: counts.emptyAcquireCount,
    emptyAcquireWaitTimeMs: counts.emptyAcquireWaitMs,
    newConnsCount: counts.constructionCount,
    maxLifetimeDestroyCount: counts.lifetimeDestroyCount,
    maxIdleDestroyCount: counts.idleDestroyCount,
  };
}
