import type { StartDeadline } from './deadline.js';
import type { Slot, SlotState } from './slot.js';

/** Why the engine itself destroys a resource; the resource's kind may give other reasons. */
export type EngineReason =
  'idle' | 'lifetime' | 'reset' | 'resize' | 'max_uses' | 'pool_end' | 'dead' | 'unsettled';

/**
 * Whether that from which resources are had could be reached, by a construction that failed: it refused (`true`), it could not
 * be reached (`false`), it answered and will have resources soon (`soon`); `undefined`: the error does not tell.
 */
export type Reached = boolean | 'soon' | undefined;

/** The commands that the engine gives to a kind of resource `T`, which is made for the cause `C` and closed for the reasons `R`. */
export interface ResourceKind<T, C, R extends string> {
  /**
   * Starts one construction; `done` is called exactly once, never synchronously, also after `abort`; `reached` tells of a
   * failure only.
   */
  create(
    cause: C | undefined,
    done: (error: unknown, resource?: T, reached?: Reached) => void,
  ): { abort(): void };
  /** Says whether a returned resource can be handed out again: now, once it has settled, or never, with the reason. */
  judge(resource: T): 'ready' | 'settling' | R;
  /** Calls `done` when a settling resource can be judged again. */
  whenSettled(resource: T, done: () => void): void;
  /** Makes a resource that was used as good as new, before anybody else gets it; `done` is called once, with a reason to destroy it. */
  readonly reset?: ((resource: T, done: (failed?: R) => void) => void) | undefined;
  /** Finds out whether a resource that was idle for long is alive; `done` is called once, within a bounded time. */
  ping(resource: T, done: (alive: boolean) => void): void;
  /** Prepares a resource for being idle. */
  park(resource: T): void;
  /** Prepares an idle resource for a ping or for its next user. */
  unpark(resource: T): void;
  /** Destroys a resource synchronously: when this returns, its slot is free. */
  destroy(resource: T): void;
}

/** The news of an outage. No member may throw. */
export interface OutageListener {
  /** A construction failed because nothing could be reached, the first since one succeeded. */
  unreachable(error: unknown): void;
  /** The outage is over, `lastedMs` after `unreachable`. */
  reachable(lastedMs: number): void;
}

/** The news that the engine gives to its owner. No member may throw. */
export interface EngineListener<T, R extends string> extends OutageListener {
  /** A construction ended; without `error` its resource has a slot, and no user yet. `reached` is what its kind told. */
  constructed(error: unknown, reached?: Reached): void;
  /** A new resource has its slot, which it keeps for life. */
  placed(slot: Slot<T>): void;
  /** A resource was destroyed, `ageMs` after it was made; `from` is the state it was in. */
  destroyed(slot: Slot<T>, from: SlotState, reason: EngineReason | R, ageMs: number): void;
  /** A slot became free and the queue was served from it; `slot` and `from` are set unless a construction failed. */
  freed(slot?: Slot<T>, from?: SlotState): void;
  /** The engine is ending, and the last waiter has left the queue; perhaps no slot becomes free any more. */
  drained(): void;
  /** A pause after failed constructions is over: one may start that no acquirer asked for. */
  resumed(): void;
}

/** Limits of the engine; times in milliseconds, 0 means off. */
export interface EngineLimits {
  /** At first: `resize` changes it. */
  readonly max: number;
  readonly maxConnecting: number;
  /** How long most acquirers wait at most: these share a timer. */
  readonly acquireTimeoutMs: number;
  /** How long an acquirer waits through an outage. */
  readonly retryMs: number;
  /** How many may wait; `Infinity` for any number. */
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
