import type { PoolGauges } from '../observer.js';
import type { ResourcePool } from '../engine/engine.js';
import type { PoolStat } from './stat.js';

type Engine = Pick<
  ResourcePool<unknown, unknown, string>,
  | 'total'
  | 'acquired'
  | 'idle'
  | 'constructing'
  | 'pending'
  | 'oldestHolder'
  | 'oldestWaiter'
  | 'acquireCount'
  | 'acquireDurationMs'
  | 'canceledAcquireCount'
  | 'emptyAcquireCount'
  | 'emptyAcquireWaitMs'
  | 'constructionCount'
  | 'lifetimeDestroyCount'
  | 'idleDestroyCount'
>;

/** A live view of the engine: each property is read when it is asked for. */
export class EngineGauges implements PoolGauges {
  acquireTimeouts = 0;

  constructor(
    private readonly engine: Engine,
    readonly limit: number,
    readonly idleMin: number,
  ) {}

  get used(): number {
    return this.engine.acquired;
  }
  get idle(): number {
    return this.engine.idle;
  }
  get connecting(): number {
    return this.engine.constructing;
  }
  get pending(): number {
    return this.engine.pending;
  }
  get longestUseMs(): number {
    const holder = this.engine.oldestHolder;
    return holder === undefined ? 0 : performance.now() - holder.heldSince;
  }
  get longestWaitMs(): number {
    const waiter = this.engine.oldestWaiter;
    return waiter === undefined ? 0 : performance.now() - waiter.startedAt;
  }
  get emptyAcquires(): number {
    return this.engine.emptyAcquireCount;
  }
  get emptyAcquireWaitMs(): number {
    return this.engine.emptyAcquireWaitMs;
  }
  get canceledAcquires(): number {
    return this.engine.canceledAcquireCount;
  }
}

/** The engine's counters at this moment, under pgxpool's names. */
export function statOf(engine: Engine, maxConns: number): PoolStat {
  return {
    totalConns: engine.total,
    acquiredConns: engine.acquired,
    idleConns: engine.idle,
    constructingConns: engine.constructing,
    maxConns,
    acquireCount: engine.acquireCount,
    acquireDurationMs: engine.acquireDurationMs,
    canceledAcquireCount: engine.canceledAcquireCount,
    emptyAcquireCount: engine.emptyAcquireCount,
    emptyAcquireWaitTimeMs: engine.emptyAcquireWaitMs,
    newConnsCount: engine.constructionCount,
    maxLifetimeDestroyCount: engine.lifetimeDestroyCount,
    maxIdleDestroyCount: engine.idleDestroyCount,
  };
}
