import type { EngineReason } from './kind.js';

/** What the engine has counted since it was made; all cumulative. */
export interface EngineCounts {
  /** Acquires that succeeded. */
  readonly acquireCount: number;
  /** Total milliseconds from call to hand-over of these acquires. */
  readonly acquireDurationMs: number;
  /** Acquires that timed out or were aborted. */
  readonly canceledAcquireCount: number;
  /** Acquires that timed out. */
  readonly acquireTimeoutCount: number;
  /** Acquires that were refused because too many were waiting. */
  readonly rejectedAcquireCount: number;
  /** Successful acquires that waited for a slot or for a construction. */
  readonly emptyAcquireCount: number;
  /** Total milliseconds from call to hand-over of the acquires in `emptyAcquireCount`. */
  readonly emptyAcquireWaitMs: number;
  /** Constructions started. */
  readonly constructionCount: number;
  /** Resources destroyed because they exceeded their lifetime. */
  readonly lifetimeDestroyCount: number;
  /** Resources destroyed because they were idle for too long. */
  readonly idleDestroyCount: number;
}

/** The counters of one engine: only these methods write them, and only the engine calls the methods. */
export class EngineCounters implements EngineCounts {
  acquireCount = 0;
  acquireDurationMs = 0;
  canceledAcquireCount = 0;
  acquireTimeoutCount = 0;
  rejectedAcquireCount = 0;
  emptyAcquireCount = 0;
  emptyAcquireWaitMs = 0;
  constructionCount = 0;
  lifetimeDestroyCount = 0;
  idleDestroyCount = 0;

  acquiredAtOnce(): void {
    this.acquireCount += 1;
  }

  /** `empty` if it waited for a slot or a construction, not only for a ping. */
  acquiredAfter(waitMs: number, empty: boolean): void {
    this.acquireCount += 1;
    this.acquireDurationMs += waitMs;
    if (!empty) return;
    this.emptyAcquireCount += 1;
    this.emptyAcquireWaitMs += waitMs;
  }

  canceled(): void {
    this.canceledAcquireCount += 1;
  }

  /** Counted in addition to `canceled`. */
  timedOut(): void {
    this.acquireTimeoutCount += 1;
  }

  rejected(): void {
    this.rejectedAcquireCount += 1;
  }

  constructing(): void {
    this.constructionCount += 1;
  }

  destroyed(reason: EngineReason | (string & {})): void {
    if (reason === 'lifetime') this.lifetimeDestroyCount += 1;
    else if (reason === 'idle') this.idleDestroyCount += 1;
  }
}
