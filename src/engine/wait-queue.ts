import type { EngineDeadline, StartDeadline } from './deadline.js';
import { LinkedList, type Linked } from './linked-list.js';
import { SharedDeadline, type Timed } from './shared-deadline.js';
import type { Slot } from './slot.js';

/** Why an acquirer waits. */
export type WaitReason = 'new_connection' | 'exhausted';

/** The request of an acquirer that accepts a resource that others also hold. */
export interface ShareRequest {
  /** The name that only one acquirer at a time may prepare on a resource. */
  readonly name: string | undefined;
}

/** An acquirer's cause and callbacks. No member may throw. */
export interface AcquireWait<T, C> {
  /** Passed to the construction that is started for this acquirer. */
  readonly cause: C;
  /** Set if it accepts a resource that others also hold, with the name it prepares there. */
  readonly shares?: ShareRequest | undefined;
  /** Called once, before any construction that it causes, unless an idle resource serves it. */
  waiting(reason: WaitReason): void;
  served(slot: Slot<T>, waitMs: number): void;
  rejected(error: unknown, waitMs: number): void;
  timeoutError(): unknown;
}

/** An acquirer in the queue. */
export class Waiter<T, C> implements Linked<Waiter<T, C>>, Timed<Waiter<T, C>> {
  prev: Waiter<T, C> | undefined;
  next: Waiter<T, C> | undefined;
  waiting = true;
  /** The construction or ping that was started for it and has not ended. */
  supply: 'construction' | 'ping' | undefined;
  reason: WaitReason | undefined;
  /** Its own deadline, if its limit is not the usual one. */
  deadline: EngineDeadline | undefined;
  /** Called when it leaves the queue. */
  onDone: (() => void) | undefined;

  constructor(
    readonly request: AcquireWait<T, C>,
    readonly startedAt: number,
    readonly sharesDeadline: boolean,
  ) {}
}

/** The waiting acquirers, oldest first. */
export class WaitQueue<T, C> extends LinkedList<Waiter<T, C>> {
  readonly #usualMs: number;
  readonly #startDeadline: StartDeadline;
  readonly #late: (waiter: Waiter<T, C>) => void;
  readonly #shared: SharedDeadline<Waiter<T, C>>;

  /** `late` must take out a waiter whose time is up; waiters with the limit `usualMs` share a timer. */
  constructor(usualMs: number, startDeadline: StartDeadline, late: (waiter: Waiter<T, C>) => void) {
    super();
    this.#usualMs = usualMs;
    this.#startDeadline = startDeadline;
    this.#late = late;
    this.#shared = new SharedDeadline(usualMs, startDeadline, late);
  }

  /** Adds an acquirer, for at most `timeoutMs`; 0 for no limit. */
  join(request: AcquireWait<T, C>, startedAt: number, timeoutMs: number): Waiter<T, C> {
    const waiter = new Waiter(request, startedAt, timeoutMs > 0 && timeoutMs === this.#usualMs);
    this.push(waiter);
    if (waiter.sharesDeadline) this.#shared.joined(waiter);
    else if (timeoutMs > 0) {
      waiter.deadline = this.#startDeadline(timeoutMs, () => this.#late(waiter), { keepsAlive: true });
    }
    return waiter;
  }

  /** The oldest waiter without a supply; there are at most as many before it as constructions and pings. */
  firstWithoutSupply(): Waiter<T, C> | undefined {
    let waiter = this.head;
    while (waiter?.supply !== undefined) waiter = waiter.next;
    return waiter;
  }

  /** Takes a waiter out, for whatever reason. */
  leave(waiter: Waiter<T, C>): void {
    if (waiter.sharesDeadline) this.#shared.leaving(waiter);
    this.remove(waiter);
    waiter.waiting = false;
    waiter.deadline?.clear();
    waiter.onDone?.();
  }

  /** Ends the timer of an empty queue that no acquirer joins any more. */
  stop(): void {
    this.#shared.stop();
  }
}
