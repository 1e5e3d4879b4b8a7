import type { Linked } from './linked-list.js';

/** Why an acquirer waits. */
export type WaitReason = 'new_connection' | 'exhausted';

/** One resource and the place it takes; times by `performance.now()`. */
export class Slot<T> implements Linked<Slot<T>> {
  prev: Slot<T> | undefined;
  next: Slot<T> | undefined;
  /** `between`: just made, being pinged, or being judged after its return. */
  state: 'between' | 'idle' | 'held' | 'gone' = 'between';
  idleSince = 0;
  heldSince = 0;
  uses = 0;
  /** Ends the wait for a returned resource that does not become ready. */
  settling: NodeJS.Timeout | undefined;

  constructor(
    readonly resource: T,
    readonly createdAt: number,
    readonly expiresAt: number,
    readonly generation: number,
  ) {}
}

/** What an acquirer gives the engine: who it is, and what to call. None of the calls may throw. */
export interface AcquireWait<T, C> {
  /** Handed to the construction that is started for this acquirer. */
  readonly cause: C;
  /** Called once, before any construction it causes, unless an idle resource serves it. */
  waiting(reason: WaitReason): void;
  served(slot: Slot<T>, waitMs: number): void;
  rejected(error: unknown, waitMs: number): void;
  timeoutError(): unknown;
}

/** An acquirer in the queue. */
export class Waiter<T, C> implements Linked<Waiter<T, C>> {
  prev: Waiter<T, C> | undefined;
  next: Waiter<T, C> | undefined;
  waiting = true;
  /** What was started for it and is under way. */
  supply: 'construction' | 'ping' | undefined;
  reason: WaitReason | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Called when it leaves the queue. */
  onDone: (() => void) | undefined;

  constructor(
    readonly request: AcquireWait<T, C>,
    readonly startedAt: number,
  ) {}
}
