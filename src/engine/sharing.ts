import type { EngineLimits } from './kind.js';
import type { Slot } from './slot.js';
import type { EngineParts } from './state.js';
import type { Waiter } from './wait-queue.js';

/** Hands a held resource to further acquirers; the owner decides to which, and when the resource is returned. */
export class Sharing<T, C, R extends string> {
  readonly #parts: EngineParts<T, C, R>;
  readonly #limits: EngineLimits;
  readonly #leave: (waiter: Waiter<T, C>) => void;
  /** Called when the first waiter may have to share; unset if nothing is shared. */
  onHead: (() => void) | undefined;

  constructor(parts: EngineParts<T, C, R>, limits: EngineLimits, leave: (waiter: Waiter<T, C>) => void) {
    this.#parts = parts;
    this.#limits = limits;
    this.#leave = leave;
  }

  /** Whether a new acquirer would be first in the queue and would have to wait for a resource to be returned. */
  get isDue(): boolean {
    const { waiters, slots, total, max } = this.#parts;
    return waiters.size === 0 && slots.idle.size === 0 && total >= max;
  }

  /** Whether a full engine has more waiters than constructions and pings under way: the first waiter should share. */
  get isShort(): boolean {
    const { waiters, constructions, pings, total, max } = this.#parts;
    return waiters.size > constructions.size + pings.size && total >= max;
  }

  /** Whether a held resource may be handed to one more acquirer: it is not due to be retired. */
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

  /** Gives a held resource to the acquirer at the head of the queue, which must accept a shared one. */
  serve(slot: Slot<T>, waiter: Waiter<T, C>): void {
    const waitMs = performance.now() - waiter.startedAt;
    slot.uses += 1;
    this.#parts.counts.acquiredAfter(waitMs, waiter.reason !== undefined);
    this.#leave(waiter);
    waiter.request.served(slot, waitMs);
  }
}
