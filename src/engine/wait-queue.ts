import type { EngineDeadline, StartDeadline } from './deadline.js';
import { LinkedList, type Linked } from './linked-list.js';
import { SharedDeadline, type Timed } from './shared-deadline.js';
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
export class Waiter<T, C> implements Linked<Waiter<T, C>>, Timed<Waiter<T, C>> {
  prev: Waiter<T, C> | undefined;
  next: Waiter<T, C> | undefined;
  waiting = true;
  /** What was started for it and has not ended. */
  supply: 'construction' | 'ping' | undefined;
  reason: WaitReason | undefined;
  /** That of its own, if its limit is not the usual one. */
  deadline: EngineDeadline | undefined;
  /** Called when it leaves the queue. */
  onDone: (() => void) | undefined;

  constructor(
    readonly request: AcquireWait<T, C>,
    readonly startedAt: number,
    readonly sharesDeadline: boolean,
  ) {}
}

/** The acquirers that wait, oldest first. */
export class WaitQueue<T, C> extends LinkedList<Waiter<T, C>> {
  readonly #usualMs: number;
  readonly #startDeadline: StartDeadline;
  readonly #late: (waiter: Waiter<T, C>) => void;
  readonly #shared: SharedDeadline<Waiter<T, C>>;

  /** `late` takes out a waiter whose time is up; those that wait for at most `usualMs` share a timer. */
  constructor(usualMs: number, startDeadline: StartDeadline, late: (waiter: Waiter<T, C>) => void) {
    super();
    this.#usualMs = usualMs;
    this.#startDeadline = startDeadline;
    this.#late = late;
    this.#shared = new SharedDeadline(usualMs, startDeadline, late);
  }

  /** Adds an acquirer, for at most `timeoutMs`; 0 for any time. */
  join(request: AcquireWait<T, C>, startedAt: number, timeoutMs: number): Waiter<T, C> {
    const waiter = new Waiter(request, startedAt, timeoutMs > 0 && timeoutMs === this.#usualMs);
    this.push(waiter);
    if (waiter.sharesDeadline) this.#shared.joined(waiter);
    else if (timeoutMs > 0) {
      waiter.deadline = this.#startDeadline(timeoutMs, () => this.#late(waiter), { keepsAlive: true });
    }
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
