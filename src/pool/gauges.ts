import type { PoolGauges } from '../observer.js';
import type { EngineState } from '../engine/state.js';
import type { PoolStat } from './stat.js';

type State = EngineState<unknown, unknown>;

/** A live view of the engine: each property is read when it is asked for. */
export class EngineGauges implements PoolGauges {
  readonly #state: State;

  constructor(
    state: State,
    readonly limit: number,
    readonly idleMin: number,
  ) {
    this.#state = state;
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
  get canceledAcquires(): number {
    return this.#state.counts.canceledAcquireCount;
  }
}

/** A snapshot of an engine under pgxpool's names. */
export function statOf({ total, used, idle, connecting, counts }: State, maxConns: number): PoolStat {
  return {
    totalConns: total,
    acquiredConns: used,
    idleConns: idle,
    constructingConns: connecting,
    maxConns,
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
