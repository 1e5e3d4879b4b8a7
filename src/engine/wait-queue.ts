import type { EngineDeadline, StartDeadline } from './deadline.js';
import { LinkedList, type Linked } from './linked-list.js';
import type { Slot } from './slot.js';

/** Why an acquirer waits. */
export type WaitReason = 'new_connection' | 'exhausted';

/** How an acquirer takes a resource that others hold as well. */
export interface ShareRequest {
  /** What no two may prepare on one resource at a time. */
  readonly name: string | undefined;
}

/** What an acquirer gives the engine: its cause, and what to call. No member may throw. */
export interface AcquireWait<T, C> {
  /** Given to the construction that is started for this acquirer. */
  readonly cause: C;
  /** Set if it takes a resource that others hold as well, with what it needs there by name. */
  readonly shares?: ShareRequest | undefined;
  /** Called once, before any construction that it causes, unless an idle resource serves it. */
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
  /** What was started for it and has not ended. */
  supply: 'construction' | 'ping' | undefined;
  reason: WaitReason | undefined;
  deadline: EngineDeadline | undefined;
  /** Called when it leaves the queue. */
  onDone: (() => void) | undefined;

  constructor(
    readonly request: AcquireWait<T, C>,
    readonly startedAt: number,
  ) {}
}

/** The acquirers that wait, oldest first. */
export class WaitQueue<T, C> extends LinkedList<Waiter<T, C>> {
  /** Adds an acquirer; `late` is called if it still waits after `timeoutMs`, 0 for never. */
  join(
    request: AcquireWait<T, C>,
    startedAt: number,
    timeoutMs: number,
    late: (waiter: Waiter<T, C>) => void,
    startDeadline: StartDeadline,
  ): Waiter<T, C> {
    const waiter = new Waiter(request, startedAt);
    this.push(waiter);
    if (timeoutMs > 0) waiter.deadline = startDeadline(timeoutMs, () => late(waiter), true);
    return waiter;
  }

  /** The oldest for which nothing was started; those before it are at most as many as there are constructions and pings. */
  firstWithoutSupply(): Waiter<T, C> | undefined {
    let waiter = this.head;
    while (waiter?.supply !== undefined) waiter = waiter.next;
    return waiter;
  }

  /** Takes a waiter out, whatever became of it. */
  leave(waiter: Waiter<T, C>): void {
    this.remove(waiter);
    waiter.waiting = false;
    waiter.deadline?.clear();
    waiter.onDone?.();
  }
}
