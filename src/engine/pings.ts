import type { EngineLimits, ResourceKind } from './kind.js';
import type { CheckOwner } from './returns.js';
import type { Slot } from './slot.js';
import type { Slots } from './slots.js';
import type { Waiter } from './wait-queue.js';

/** Pings long-idle resources before they are handed out. */
export class Pings<T, C, R extends string> {
  readonly #kind: ResourceKind<T, C, R>;
  readonly #limits: EngineLimits;
  readonly #slots: Slots<T>;
  readonly #owner: CheckOwner<T, R>;
  /** The pings that have not ended and were started for a waiter. */
  readonly #waiters = new Map<Slot<T>, Waiter<T, C>>();

  constructor(kind: ResourceKind<T, C, R>, limits: EngineLimits, slots: Slots<T>, owner: CheckOwner<T, R>) {
    this.#kind = kind;
    this.#limits = limits;
    this.#slots = slots;
    this.#owner = owner;
  }

  /** The number of waiters with a ping. */
  get size(): number {
    return this.#waiters.size;
  }

  isStale(slot: Slot<T>, now: number): boolean {
    return now - slot.idleSince > this.#limits.pingAfterMs;
  }

  /** Pings an idle resource; its waiter may be served by another one meanwhile. */
  start(slot: Slot<T>, waiter: Waiter<T, C> | undefined): void {
    this.#slots.move(slot, 'between');
    if (waiter !== undefined) {
      waiter.supply = 'ping';
      this.#waiters.set(slot, waiter);
    }
    this.#kind.unpark(slot.resource);
    this.#kind.ping(slot.resource, (alive) => {
      if (slot.state === 'gone') return;
      const now = performance.now();
      if (alive) {
        this.ended(slot);
        this.#owner.keep(slot, now);
        return;
      }
      // Resources that were idle as long have probably died too: ping them, while the waiter gets a new resource.
      for (const other of [...this.#slots.idle]) if (this.isStale(other, now)) this.start(other, undefined);
      this.#owner.discard(slot, 'dead');
    });
  }

  /** Ends a ping, and returns its waiter, if any, which then needs another supply. */
  ended(slot: Slot<T>): Waiter<T, C> | undefined {
    const waiter = this.#waiters.get(slot);
    if (waiter === undefined) return undefined;
    this.#waiters.delete(slot);
    waiter.supply = undefined;
    return waiter;
  }
}
