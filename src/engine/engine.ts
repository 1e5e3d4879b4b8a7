import type { Construction } from './constructions.js';
import type { EngineLimits, EngineListener, EngineReason, ResourceKind } from './kind.js';
import { Pings } from './pings.js';
import { expiry, Slot } from './slot.js';
import { EngineParts, type EngineState } from './state.js';
import type { AcquireWait, Waiter } from './wait-queue.js';

/**
 * The engine: hands resources to acquirers with pgxpool's semantics and counts what it does.
 * It knows neither PostgreSQL nor telemetry.
 */
export class Engine<T, C, R extends string> {
  readonly #kind: ResourceKind<T, C, R>;
  readonly #listener: EngineListener<T, C, R>;
  readonly #limits: EngineLimits;
  readonly #parts = new EngineParts<T, C>();
  readonly #slots = this.#parts.slots;
  readonly #waiters = this.#parts.waiters;
  readonly #constructions = this.#parts.constructions;
  readonly #counts = this.#parts.counts;
  readonly #pings = new Pings<T, C>();
  #generation = 0;
  #ending = false;

  constructor(kind: ResourceKind<T, C, R>, listener: EngineListener<T, C, R>, limits: EngineLimits) {
    this.#kind = kind;
    this.#listener = listener;
    this.#limits = limits;
  }

  /** A live view of what the engine is doing. */
  get state(): EngineState<T, C> {
    return this.#parts;
  }
  /** Whether `end` was called. */
  get ending(): boolean {
    return this.#ending;
  }
  /** Idle slots, longest idle first. */
  get idleSlots(): Iterable<Slot<T>> {
    return this.#slots.idle;
  }

  /** The hot path: hands out an idle resource that is fresh enough to go without a ping, or returns `undefined`. */
  tryAcquire(now: number): Slot<T> | undefined {
    if (this.#waiters.size > 0) return undefined;
    const slot = this.#newestIdle(now);
    if (slot === undefined || this.#isStale(slot, now)) return undefined;
    this.#kind.unpark(slot.resource);
    this.#counts.acquiredAtOnce();
    return this.#hold(slot, now);
  }

  /** Queues an acquirer; `request` is called back exactly once. */
  wait(request: AcquireWait<T, C>, startedAt: number, timeoutMs: number): Waiter<T, C> {
    const late = (waiter: Waiter<T, C>): void => {
      this.#counts.timedOut();
      this.cancel(waiter, request.timeoutError());
    };
    const waiter = this.#waiters.join(request, startedAt, timeoutMs, late, this.#limits.startDeadline);
    this.#dispatch();
    this.#explain(waiter);
    return waiter;
  }

  /** Takes a waiter out of the queue, counted as cancelled; no effect if it was served meanwhile. */
  cancel(waiter: Waiter<T, C>, error: unknown): void {
    if (!waiter.waiting) return;
    this.#counts.canceled();
    this.#reject(waiter, error);
  }

  /** Counts an acquire that was aborted outside of the queue, or timed out there. */
  countCanceled(timedOut = false): void {
    if (timedOut) this.#counts.timedOut();
    this.#counts.canceled();
  }

  /** Returns a held slot; with a `reason` its resource is destroyed, else it is judged. */
  release(slot: Slot<T>, now: number, reason?: R): void {
    if (slot.state !== 'held') return;
    this.#slots.move(slot, 'between');
    if (reason !== undefined) this.#destroy(slot, reason);
    else this.#judge(slot, now);
  }

  /** Destroys a resource that died, or must go whatever its state: its slot is free when this returns. */
  discard(slot: Slot<T>, reason: EngineReason | R): void {
    if (slot.state !== 'gone') this.#destroy(slot, reason);
  }

  /** Starts a construction that no acquirer asked for; `false` when there is no room. */
  constructSpare(): boolean {
    if (this.#ending || !this.#hasRoom()) return false;
    this.#construct(undefined);
    return true;
  }

  /** Drops what is idle and retires the rest when it is returned. */
  reset(): void {
    this.#generation += 1;
    for (const slot of [...this.#slots.idle]) this.discard(slot, 'reset');
  }

  /**
   * Destroys what is idle and gives up constructions for nobody. Those that wait are still served; every other resource is
   * destroyed when it is returned and has settled. The caller sees to it that nobody joins the queue any more.
   */
  end(): void {
    this.#ending = true;
    this.#constructions.abortUnwanted();
    for (const slot of [...this.#slots.idle]) this.discard(slot, 'pool_end');
  }

  /** Rejects all that wait. */
  rejectWaiters(error: () => unknown): void {
    for (const waiter of [...this.#waiters]) if (waiter.waiting) this.#reject(waiter, error());
  }

  #hasRoom(): boolean {
    return this.#parts.total < this.#limits.max && this.#constructions.size < this.#limits.maxConnecting;
  }

  /** The idle slot that was used last; those before it that outlived their lifetime are destroyed. */
  #newestIdle(now: number): Slot<T> | undefined {
    for (;;) {
      const slot = this.#slots.idle.tail;
      if (slot === undefined || now < slot.expiresAt) return slot;
      this.#destroy(slot, 'lifetime');
    }
  }

  #isStale(slot: Slot<T>, now: number): boolean {
    return now - slot.idleSince > this.#limits.pingAfterMs;
  }

  /** Gives every waiter something to wait for: an idle resource, a ping, a construction, or a used resource. */
  #dispatch(): void {
    while (this.#waiters.size > this.#pings.size) {
      const now = performance.now();
      const slot = this.#newestIdle(now);
      const canConstruct =
        this.#waiters.size > this.#constructions.size + this.#pings.size && this.#hasRoom();
      // A long queue is not searched when there is nothing to give.
      if (slot === undefined && !canConstruct) return;
      const waiter = this.#waiters.firstWithoutSupply();
      if (waiter === undefined) return;
      if (slot === undefined) this.#construct(waiter);
      else if (this.#isStale(slot, now)) this.#ping(slot, waiter);
      else {
        this.#kind.unpark(slot.resource);
        this.#serve(slot, now);
      }
    }
  }

  #construct(waiter: Waiter<T, C> | undefined): void {
    const construction = this.#constructions.started(waiter, this.#generation);
    this.#counts.constructing();
    if (waiter !== undefined) this.#explain(waiter);
    construction.attempt = this.#kind.create(waiter?.request.cause, (error, resource) => {
      this.#constructions.ended(construction);
      this.#constructed(construction, error, resource);
    });
  }

  #constructed({ waiter, generation }: Construction<T, C>, error: unknown, resource: T | undefined): void {
    if (resource === undefined) {
      this.#listener.constructed(error, waiter?.request.cause);
      if (waiter?.waiting === true) this.#reject(waiter, error);
      this.#dispatch();
      this.#listener.freed();
      return;
    }
    const now = performance.now();
    const slot = new Slot(resource, now, expiry(now, this.#limits), generation);
    this.#slots.add(slot);
    this.#listener.placed(slot);
    // Notify only after the slot is placed: listeners read `total`.
    this.#listener.constructed(undefined, waiter?.request.cause);
    if (this.#waiters.size > 0) this.#serve(slot, now);
    else this.#judge(slot, now);
    // There may be room now for the next waiter's construction.
    this.#dispatch();
  }

  #ping(slot: Slot<T>, waiter: Waiter<T, C> | undefined): void {
    this.#slots.move(slot, 'between');
    if (waiter !== undefined) this.#pings.started(slot, waiter);
    this.#kind.unpark(slot.resource);
    this.#kind.ping(slot.resource, (alive) => {
      if (slot.state === 'gone') return;
      if (alive) {
        this.#pings.ended(slot);
        this.#recycle(slot, performance.now());
        return;
      }
      // Others that were idle as long probably died too: they are pinged meanwhile, and the waiter gets a new resource.
      const now = performance.now();
      for (const other of [...this.#slots.idle]) {
        if (this.#isStale(other, now)) this.#ping(other, undefined);
      }
      this.#destroy(slot, 'dead');
    });
  }

  #judge(slot: Slot<T>, now: number): void {
    const verdict = this.#kind.judge(slot.resource);
    if (verdict === 'ready') this.#recycle(slot, now);
    else if (verdict === 'settling') this.#settle(slot);
    else this.#destroy(slot, verdict);
  }

  #settle(slot: Slot<T>): void {
    const unsettled = (): void => this.discard(slot, 'unsettled');
    slot.settling = this.#limits.startDeadline(this.#limits.settleMs, unsettled, false);
    this.#kind.whenSettled(slot.resource, () => {
      slot.settling?.clear();
      if (slot.state === 'between') this.#judge(slot, performance.now());
    });
  }

  #reset(slot: Slot<T>, reset: (resource: T, done: (failed?: R) => void) => void): void {
    slot.used = false;
    reset(slot.resource, (failed) => {
      if (slot.state !== 'between') return;
      if (failed === undefined) this.#judge(slot, performance.now());
      else this.#destroy(slot, failed);
    });
  }

  /** Gives a good resource to the oldest waiter, or parks it, unless it has served its time. */
  #recycle(slot: Slot<T>, now: number): void {
    if (slot.generation !== this.#generation) this.#destroy(slot, 'reset');
    else if (now >= slot.expiresAt) this.#destroy(slot, 'lifetime');
    else if (slot.uses >= this.#limits.maxUses) this.#destroy(slot, 'max_uses');
    else if (this.#ending && this.#waiters.size === 0) this.#destroy(slot, 'pool_end');
    else if (slot.used && this.#kind.reset !== undefined) this.#reset(slot, this.#kind.reset);
    else if (this.#waiters.size > 0) this.#serve(slot, now);
    else {
      slot.idleSince = now;
      this.#slots.move(slot, 'idle');
      this.#kind.park(slot.resource);
    }
  }

  /** Hands a slot to the oldest waiter; the caller knows that there is one. */
  #serve(slot: Slot<T>, now: number): void {
    const waiter = this.#waiters.head;
    if (waiter === undefined) throw new Error('the queue is empty');
    const waitMs = now - waiter.startedAt;
    this.#counts.acquiredAfter(waitMs, waiter.reason !== undefined);
    this.#leave(waiter);
    waiter.request.served(this.#hold(slot, now), waitMs);
  }

  #hold(slot: Slot<T>, now: number): Slot<T> {
    slot.heldSince = now;
    slot.uses += 1;
    slot.used = true;
    this.#slots.move(slot, 'held');
    return slot;
  }

  #reject(waiter: Waiter<T, C>, error: unknown): void {
    this.#leave(waiter);
    waiter.request.rejected(error, performance.now() - waiter.startedAt);
  }

  #leave(waiter: Waiter<T, C>): void {
    this.#waiters.leave(waiter);
    // Another waiter may be served by a construction that was started for this one.
    if (this.#ending && this.#waiters.size === 0) this.#constructions.abortUnwanted();
  }

  /** Tells a waiter once why it waits, unless an idle resource is being pinged for it. */
  #explain(waiter: Waiter<T, C>): void {
    if (!waiter.waiting || waiter.reason !== undefined || waiter.supply === 'ping') return;
    // It may be served by a construction that was started for no waiter.
    const served = this.#waiters.size <= this.#constructions.size + this.#pings.size;
    const construction = waiter.supply === 'construction' || served || this.#parts.total < this.#limits.max;
    waiter.reason = construction ? 'new_connection' : 'exhausted';
    waiter.request.waiting(waiter.reason);
  }

  #destroy(slot: Slot<T>, reason: EngineReason | R): void {
    const from = slot.state;
    slot.state = 'gone';
    slot.settling?.clear();
    this.#kind.destroy(slot.resource);
    this.#slots.remove(slot, from);
    this.#counts.destroyed(reason);
    this.#listener.destroyed(slot, from, reason, performance.now() - slot.createdAt);
    const waiter = this.#pings.ended(slot);
    this.#dispatch();
    if (waiter !== undefined) this.#explain(waiter);
    this.#listener.freed(slot, from);
  }
}
