import type { Slot } from './slot.js';
import type { Waiter } from './wait-queue.js';

/** The pings that have not ended and were started for a waiter. */
export class Pings<T, C> {
  readonly #waiters = new Map<Slot<T>, Waiter<T, C>>();

  get size(): number {
    return this.#waiters.size;
  }

  started(slot: Slot<T>, waiter: Waiter<T, C>): void {
    waiter.supply = 'ping';
    this.#waiters.set(slot, waiter);
  }

  /** The waiter that the ping was for, if it was for one; it needs another supply now. */
  ended(slot: Slot<T>): Waiter<T, C> | undefined {
    const waiter = this.#waiters.get(slot);
    if (waiter === undefined) return undefined;
    this.#waiters.delete(slot);
    waiter.supply = undefined;
    return waiter;
  }
}
