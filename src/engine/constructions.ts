import type { Waiter } from './wait-queue.js';

/** A construction that has not ended. */
export interface Construction<T, C> {
  attempt: { abort(): void } | undefined;
  /** The waiter for which it was started; it may serve another one. */
  readonly waiter: Waiter<T, C> | undefined;
  /** How often the engine had been reset when it was started. */
  readonly generation: number;
}

/** The constructions under way. */
export class Constructions<T, C> {
  readonly #all = new Set<Construction<T, C>>();

  get size(): number {
    return this.#all.size;
  }

  /** Counts a construction before anything is called, because callees must not see room that is taken. */
  started(waiter: Waiter<T, C> | undefined, generation: number): Construction<T, C> {
    const construction: Construction<T, C> = { attempt: undefined, waiter, generation };
    if (waiter !== undefined) waiter.supply = 'construction';
    this.#all.add(construction);
    return construction;
  }

  ended(construction: Construction<T, C>): void {
    this.#all.delete(construction);
    if (construction.waiter !== undefined) construction.waiter.supply = undefined;
  }

  /** Aborts those whose waiter has left, or that never had one. */
  abortUnwanted(): void {
    for (const { attempt, waiter } of [...this.#all]) {
      if (waiter?.waiting !== true) attempt?.abort();
    }
  }
}
