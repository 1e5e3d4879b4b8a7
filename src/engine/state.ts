import { Constructions } from './constructions.js';
import { EngineCounters, type EngineCounts } from './counters.js';
import type { EngineLimits, OutageListener, ResourceKind } from './kind.js';
import { Outage, type OutageOwner } from './outage.js';
import { Pings } from './pings.js';
import { Returns, type CheckOwner } from './returns.js';
import type { Slot } from './slot.js';
import { Slots } from './slots.js';
import { WaitQueue, type Waiter } from './wait-queue.js';

/** The state of an engine in plain numbers, computed when read; all current, except `counts`. */
export interface EngineState<T, C> {
  /** Connecting, used and idle together; never above the maximum. */
  readonly total: number;
  readonly max: number;
  /** Held by acquirers, just made, being pinged or being judged after a return. */
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  /** Waiting acquirers. */
  readonly pending: number;
  /** Whether the last construction with a clear result failed because nothing can be reached. */
  readonly unreachable: boolean;
  /** Held slots, longest held first. */
  readonly holders: Iterable<Slot<T>>;
  /** Slots that were released and are not yet idle: being judged, settling or being reset. */
  readonly returned: Iterable<Slot<T>>;
  readonly oldestHolder: Slot<T> | undefined;
  readonly oldestWaiter: Waiter<T, C> | undefined;
  readonly counts: EngineCounts;
}

/** The callbacks of an engine's parts. */
export type EngineOwner<T, C, R extends string> = OutageOwner<T, C> & CheckOwner<T, R>;

/** The parts of an engine; only the engine changes them. */
export class EngineParts<T, C, R extends string> implements EngineState<T, C> {
  readonly slots = new Slots<T>();
  readonly waiters: WaitQueue<T, C>;
  readonly constructions = new Constructions<T, C>();
  readonly counts = new EngineCounters();
  readonly outage: Outage<T, C>;
  readonly returns: Returns<T, C, R>;
  readonly pings: Pings<T, C, R>;
  readonly #maxConnecting: number;
  max: number;
  /** The number of resets. */
  generation = 0;

  constructor(
    kind: ResourceKind<T, C, R>,
    listener: OutageListener,
    limits: EngineLimits,
    owner: EngineOwner<T, C, R>,
  ) {
    this.max = limits.max;
    this.#maxConnecting = limits.maxConnecting;
    this.waiters = new WaitQueue(limits.acquireTimeoutMs, limits.startDeadline, owner.expired);
    this.outage = new Outage(this.waiters, limits, owner, listener);
    this.returns = new Returns(kind, limits, owner);
    this.pings = new Pings(kind, limits, this.slots, owner);
  }

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
  get unreachable(): boolean {
    return this.outage.unreachable;
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

  /** Whether one more construction may be under way. */
  get hasRoom(): boolean {
    return this.total < this.max && this.constructions.size < this.#maxConnecting;
  }

  /** Reports to a waiter, once, why it waits, unless an idle resource is being pinged for it. */
  explain(waiter: Waiter<T, C>): void {
    if (!waiter.waiting || waiter.reason !== undefined || waiter.supply === 'ping') return;
    // It may be served by a construction that was started for no waiter.
    const served = this.waiters.size <= this.constructions.size + this.pings.size;
    const construction = waiter.supply === 'construction' || served || this.total < this.max;
    waiter.reason = construction ? 'new_connection' : 'exhausted';
    waiter.request.waiting(waiter.reason);
  }
}
