import { Backoff, LONGEST_PAUSE_MS } from './backoff.js';
import type { EngineDeadline } from './deadline.js';
import type { EngineLimits, OutageListener, Reached } from './kind.js';
import type { Waiter, WaitQueue } from './wait-queue.js';

/** The engine's reactions to an outage. */
export interface OutageOwner<T, C> {
  /** Called when a waiter has waited through the outage for as long as it may. */
  expired(waiter: Waiter<T, C>): void;
  /** Called when a pause is over. */
  resumed(): void;
}

/**
 * Whether constructions can currently succeed, and the pauses between them while they fail, shared by all waiters. In
 * an outage, waiters stay in the queue for `retryMs`; without it only spare constructions pause.
 */
export class Outage<T, C> {
  readonly #waiters: WaitQueue<T, C>;
  readonly #limits: EngineLimits;
  readonly #owner: OutageOwner<T, C>;
  readonly #listener: OutageListener;
  readonly #backoff: Backoff;
  #since: number | undefined;
  #deadline: EngineDeadline | undefined;

  constructor(
    waiters: WaitQueue<T, C>,
    limits: EngineLimits,
    owner: OutageOwner<T, C>,
    listener: OutageListener,
  ) {
    this.#waiters = waiters;
    this.#limits = limits;
    this.#owner = owner;
    this.#listener = listener;
    // A waiter must not give up before the pause in which it arrived is over.
    const longestMs = limits.retryMs > 0 ? Math.min(limits.retryMs / 2, LONGEST_PAUSE_MS) : LONGEST_PAUSE_MS;
    this.#backoff = new Backoff(() => owner.resumed(), longestMs);
  }

  /** Whether the last construction with a clear result failed because nothing can be reached. */
  get unreachable(): boolean {
    return this.#since !== undefined;
  }

  /** Whether a construction must wait for the end of the pause; a spare one is for no acquirer. */
  holdsBack(spare: boolean): boolean {
    return this.#backoff.pausing && (spare || this.#waitedThrough);
  }

  /** Call when a construction starts. */
  starting(spare: boolean): void {
    // The pause runs from the start, not the end, so that a construction that hangs does not delay others.
    if (this.#backoff.failing && (spare || this.#waitedThrough)) this.#backoff.pause();
  }

  succeeded(): void {
    this.#backoff.reset();
    this.#over();
  }

  /** Call when a construction failed; returns whether its acquirer goes on waiting. */
  failed(error: unknown, reached: Reached): boolean {
    this.#backoff.soon = reached === 'soon';
    this.#backoff.pause();
    if (reached === true) this.#over();
    if (reached === true || reached === undefined) return false;
    if (this.#since === undefined) {
      this.#since = performance.now();
      this.#listener.unreachable(error);
    }
    this.watch();
    return this.#waitedThrough;
  }

  /** Ensures that the oldest waiter, whose time is up first, does not wait too long. */
  watch(): void {
    const { head } = this.#waiters;
    if (!this.#waitedThrough || this.#deadline !== undefined || head === undefined) return;
    const expired = (): void => {
      this.#deadline = undefined;
      for (const waiter of [...this.#waiters]) {
        if (this.#leftMs(waiter) > 0) break;
        this.#owner.expired(waiter);
      }
      this.watch();
    };
    this.#deadline = this.#limits.startDeadline(Math.max(1, this.#leftMs(head)), expired, {
      keepsAlive: true,
    });
  }

  /** Call when the queue is empty, or the outage is over. */
  unwatch(): void {
    this.#deadline?.clear();
    this.#deadline = undefined;
  }

  /** Call when nothing will be constructed any more. */
  stop(): void {
    this.#backoff.stop();
    this.unwatch();
  }

  get #waitedThrough(): boolean {
    return this.#since !== undefined && this.#limits.retryMs > 0;
  }

  #leftMs(waiter: Waiter<T, C>): number {
    return Math.max(waiter.startedAt, this.#since ?? 0) + this.#limits.retryMs - performance.now();
  }

  #over(): void {
    if (this.#since === undefined) return;
    const lastedMs = performance.now() - this.#since;
    this.#since = undefined;
    this.unwatch();
    this.#listener.reachable(lastedMs);
  }
}
