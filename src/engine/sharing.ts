import type { EngineLimits } from './kind.js';
import type { Slot } from './slot.js';
import type { EngineParts } from './state.js';
import type { Waiter } from './wait-queue.js';

/** Hands a held resource to further acquirers, beside those that hold it; its owner decides which, and when it is returned. */
export class Sharing<T, C, R extends string> {
  readonly #parts: EngineParts<T, C, R>;
  readonly #limits: EngineLimits;
  readonly #leave: (waiter: Waiter<T, C>) => void;
  /** Called when the first of those that wait may be to share; unset if nothing is shared. */
  onHead: (() => void) | undefined;

  constructor(parts: EngineParts<T, C, R>, limits: EngineLimits, leave: (waiter: Waiter<T, C>) => void) {
    this.#parts = parts;
    this.#limits = limits;
    this.#leave = leave;
  }

  /** Whether an acquirer that comes now would have to wait for another to return a resource, before all others. */
  get isDue(): boolean {
    const { waiters, slots, total, max } = this.#parts;
    return waiters.size === 0 && slots.idle.size === 0 && total >= max;
  }

  /** Whether more acquirers wait than something is under way for, in a full engine: the first is to share. */
  get isShort(): boolean {
    const { waiters, constructions, pings, total, max } = this.#parts;
    return waiters.size > constructions.size + pings.size && total >= max;
  }

  /** Whether a held resource may be handed to one more: it has not served its time. */
  fits(slot: Slot<T>, now: number): boolean {
    const { generation, total, max } = this.#parts;
    return (
      slot.generation === generation &&
      now < slot.expiresAt &&
      total <= max &&
      slot.uses < this.#limits.maxUses
    );
  }

  /** Counts an acquirer that was given a held resource at once. */
  joined(slot: Slot<T>): void {
    slot.uses += 1;
    this.#parts.counts.acquiredAtOnce();
  }

  /** Gives a held resource to the acquirer at the head of the queue, which is known to take one. */
  serve(slot: Slot<T>, waiter: Waiter<T, C>): void {
    const waitMs = performance.now() - waiter.startedAt;
    slot.uses += 1;
    this.#parts.counts.acquiredAfter(waitMs, waiter.reason !== undefined);
    this.#leave(waiter);
    waiter.request.served(slot, waitMs);
  }
}
