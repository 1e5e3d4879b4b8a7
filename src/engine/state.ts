import { Constructions } from './constructions.js';
import { EngineCounters, type EngineCounts } from './counters.js';
import type { Slot } from './slot.js';
import { Slots } from './slots.js';
import { WaitQueue, type Waiter } from './wait-queue.js';

/** What an engine is doing, in plain numbers that are read when they are asked for; all current, except `counts`. */
export interface EngineState<T, C> {
  /** Connecting, used and idle together; never above the maximum. */
  readonly total: number;
  /** Held by acquirers, just made, being pinged or being judged after a return. */
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  /** Acquirers that wait. */
  readonly pending: number;
  /** Held slots, longest held first. */
  readonly holders: Iterable<Slot<T>>;
  /** Slots that nobody holds any more and that are not yet idle: being judged, settling or being reset. */
  readonly returned: Iterable<Slot<T>>;
  readonly oldestHolder: Slot<T> | undefined;
  readonly oldestWaiter: Waiter<T, C> | undefined;
  readonly counts: EngineCounts;
}

/** What an engine consists of; only the engine changes it. */
export class EngineParts<T, C> implements EngineState<T, C> {
  readonly slots = new Slots<T>();
  readonly waiters = new WaitQueue<T, C>();
  readonly constructions = new Constructions<T, C>();
  readonly counts = new EngineCounters();

  get total(): number {
    return this.constructions.size + this.slots.size;
  }
  get used(): number {
    return this.slots.used;
  }
  get idle(): number {
    return this.slots.idle.size;
  }
  get connecting(): number {
    return this.constructions.size;
  }
  get pending(): number {
    return this.waiters.size;
  }
  get holders(): Iterable<Slot<T>> {
    return this.slots.held;
  }
  get returned(): Iterable<Slot<T>> {
    return this.slots.between;
  }
  get oldestHolder(): Slot<T> | undefined {
    return this.slots.held.head;
  }
  get oldestWaiter(): Waiter<T, C> | undefined {
    return this.waiters.head;
  }
}
