import type { StartDeadline } from './deadline.js';
import type { Slot, SlotState } from './slot.js';

/** Why the engine itself destroys a resource; the resource's kind may have other reasons. */
export type EngineReason =
  'idle' | 'lifetime' | 'reset' | 'resize' | 'max_uses' | 'pool_end' | 'dead' | 'unsettled';

/**
 * Whether a failed construction reached the source of the resources: `true` if the source refused, `false` if it could
 * not be reached, `soon` if it answered and will have resources soon, `undefined` if the error does not show it.
 */
export type Reached = boolean | 'soon' | undefined;

/** The engine's commands to a kind of resource `T`, which is created for a cause `C` and closed for the reasons `R`. */
export interface ResourceKind<T, C, R extends string> {
  /**
   * Starts one construction; `done` is called exactly once, never synchronously, also after `abort`; `reached` is
   * only set for a failure.
   */
  create(
    cause: C | undefined,
    done: (error: unknown, resource?: T, reached?: Reached) => void,
  ): { abort(): void };
  /**
   * Returns whether a returned resource can be handed out again: now, once it has settled, or never, with the reason.
   */
  judge(resource: T): 'ready' | 'settling' | R;
  /** Calls `done` when a settling resource can be judged again. */
  whenSettled(resource: T, done: () => void): void;
  /** Resets a used resource before the next acquirer gets it; `done` is called once, with a reason to destroy it. */
  readonly reset?: ((resource: T, done: (failed?: R) => void) => void) | undefined;
  /** Checks whether a long-idle resource is alive; `done` is called once, within a bounded time. */
  ping(resource: T, done: (alive: boolean) => void): void;
  /** Prepares a resource for being idle. */
  park(resource: T): void;
  /** Prepares an idle resource for a ping or for its next user. */
  unpark(resource: T): void;
  /** Destroys a resource synchronously: when this returns, its slot is free. */
  destroy(resource: T): void;
}

/** Is notified of an outage. No member may throw. */
export interface OutageListener {
  /** The first construction since a success failed because nothing could be reached. */
  unreachable(error: unknown): void;
  /** The outage is over, `lastedMs` after `unreachable`. */
  reachable(lastedMs: number): void;
}

/** Is notified of the engine's events. No member may throw. */
export interface EngineListener<T, R extends string> extends OutageListener {
  /** A construction ended; without `error` its resource has a slot and no user yet. `reached` comes from its kind. */
  constructed(error: unknown, reached?: Reached): void;
  /** A new resource has its slot, which it keeps for life. */
  placed(slot: Slot<T>): void;
  /** A resource was destroyed, `ageMs` after it was made; `from` is the state it was in. */
  destroyed(slot: Slot<T>, from: SlotState, reason: EngineReason | R, ageMs: number): void;
  /** A slot became free and the queue was served from it; `slot` and `from` are set unless a construction failed. */
  freed(slot?: Slot<T>, from?: SlotState): void;
  /** The engine is ending, and the last waiter has left the queue; there may be no more slots to become free. */
  drained(): void;
  /** A pause after failed constructions is over: constructions for no acquirer may start. */
  resumed(): void;
}

/** Limits of the engine; times in milliseconds, 0 means off. */
export interface EngineLimits {
  /** The initial maximum, which `resize` changes. */
  readonly max: number;
  readonly maxConnecting: number;
  /** The usual maximum wait of acquirers; those with it share a timer. */
  readonly acquireTimeoutMs: number;
  /** How long an acquirer waits through an outage. */
  readonly retryMs: number;
  /** How many acquirers may wait; `Infinity` for any number. */
  readonly maxPending: number;
  readonly lifetimeMs: number;
  readonly lifetimeJitterMs: number;
  readonly maxUses: number;
  /** A resource that was idle for longer is pinged before it is handed out. */
  readonly pingAfterMs: number;
  /** A returned resource that is still settling after this time is destroyed. */
  readonly settleMs: number;
  readonly startDeadline: StartDeadline;
}
