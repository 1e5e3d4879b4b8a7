import type { Construction, Constructions } from './constructions.js';
import type { EngineCounters } from './counters.js';
import type { EngineLimits, EngineListener, EngineReason, Reached, ResourceKind } from './kind.js';
import type { Outage } from './outage.js';
import type { Pings } from './pings.js';
import type { Returns } from './returns.js';
import { Sharing } from './sharing.js';
import { expiry, Slot } from './slot.js';
import { EngineParts, type EngineOwner, type EngineState } from './state.js';
import type { Slots } from './slots.js';
import type { AcquireWait, Waiter, WaitQueue } from './wait-queue.js';

/**
 * The engine: hands resources to acquirers with pgxpool's semantics and counts what it does.
 * It knows neither PostgreSQL nor telemetry.
 */
export class Engine<T, C, R extends string> {
  readonly #kind: ResourceKind<T, C, R>;
  readonly #listener: EngineListener<T, R>;
  readonly #limits: EngineLimits;
  readonly #parts: EngineParts<T, C, R>;
  readonly #slots: Slots<T>;
  readonly #waiters: WaitQueue<T, C>;
  readonly #constructions: Constructions<T, C>;
  readonly #counts: EngineCounters;
  readonly #outage: Outage<T, C>;
  readonly #returns: Returns<T, C, R>;
  readonly #pings: Pings<T, C, R>;
  /** Resources that several acquirers hold. */
  readonly sharing: Sharing<T, C, R>;
  #ending = false;

  constructor(kind: ResourceKind<T, C, R>, listener: EngineListener<T, R>, limits: EngineLimits) {
    this.#kind = kind;
    this.#listener = listener;
    this.#limits = limits;
    const owner: EngineOwner<T, C, R> = {
      expired: (waiter) => {
        this.#counts.timedOut();
        this.cancel(waiter, waiter.request.timeoutError());
      },
      resumed: () => this.#resume(),
      keep: (slot, now) => this.#recycle(slot, now),
      discard: (slot, reason) => this.discard(slot, reason),
    };
    const parts = (this.#parts = new EngineParts(kind, listener, limits, owner));
    this.#slots = parts.slots;
    this.#waiters = parts.waiters;
    this.#constructions = parts.constructions;
    this.#counts = parts.counts;
    this.#outage = parts.outage;
    this.#returns = parts.returns;
    this.#pings = parts.pings;
    this.sharing = new Sharing(parts, limits, (waiter) => this.#leave(waiter));
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

  /** The hot path: hands out an idle resource that needs no ping, or returns `undefined`. */
  tryAcquire(now: number): Slot<T> | undefined {
    if (this.#waiters.size > 0) return undefined;
    const slot = this.#newestIdle(now);
    if (slot === undefined || this.#pings.isStale(slot, now)) return undefined;
    this.#kind.unpark(slot.resource);
    this.#counts.acquiredAtOnce();
    return this.#hold(slot, now);
  }

  /** Whether to refuse an acquirer because too many wait, which is counted; never if an idle resource can serve it. */
  refuses(now: number): boolean {
    if (this.#waiters.size < this.#limits.maxPending || this.#newestIdle(now) !== undefined) return false;
    this.#counts.rejected();
    return true;
  }

  /** Queues an acquirer; `request` is called back exactly once. */
  wait(request: AcquireWait<T, C>, startedAt: number, timeoutMs: number): Waiter<T, C> {
    const waiter = this.#waiters.join(request, startedAt, timeoutMs);
    this.#dispatch();
    this.#parts.explain(waiter);
    this.#outage.watch();
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

  /** Releases a held slot; with a `reason` its resource is destroyed, else it is judged. */
  release(slot: Slot<T>, now: number, reason?: R): void {
    if (slot.state !== 'held') return;
    this.#slots.move(slot, 'between');
    if (reason !== undefined) this.#destroy(slot, reason);
    else this.#returns.judge(slot, now);
  }

  /** Destroys a resource, whatever its state: its slot is free when this returns. */
  discard(slot: Slot<T>, reason: EngineReason | R): void {
    if (slot.state !== 'gone') this.#destroy(slot, reason);
  }

  /** Starts a construction for no acquirer; `false` when there is no room, or during a pause after failures. */
  constructSpare(): boolean {
    if (this.#ending || !this.#parts.hasRoom || this.#outage.holdsBack(true)) return false;
    this.#construct(undefined);
    return true;
  }

  /** Changes the maximum: waiters are served at once; excess resources are destroyed, those in use when returned. */
  resize(max: number): void {
    this.#parts.max = max;
    for (const slot of [...this.#slots.idle]) if (this.#parts.total > max) this.discard(slot, 'resize');
    this.#dispatch();
  }

  /** Destroys idle resources at once, and the others when they are returned. */
  reset(): void {
    this.#parts.generation += 1;
    for (const slot of [...this.#slots.idle]) this.discard(slot, 'reset');
  }

  /**
   * Destroys idle resources and gives up constructions that no acquirer waits for. Waiters are still served; every
   * other resource is destroyed when it is returned and has settled. The caller must not let more acquirers join.
   */
  end(): void {
    this.#ending = true;
    this.#abortUnwanted();
    for (const slot of [...this.#slots.idle]) this.discard(slot, 'pool_end');
  }

  /** Rejects all waiters. */
  rejectWaiters(error: () => unknown): void {
    for (const waiter of [...this.#waiters]) if (waiter.waiting) this.#reject(waiter, error());
  }

  /** Called when the pause after failed constructions is over. */
  #resume(): void {
    this.#dispatch();
    this.#listener.resumed();
  }

  /** The most recently used idle slot; expired ones on the way are destroyed. */
  #newestIdle(now: number): Slot<T> | undefined {
    for (;;) {
      const slot = this.#slots.idle.tail;
      if (slot === undefined || now < slot.expiresAt) return slot;
      this.#destroy(slot, 'lifetime');
    }
  }

  /** Gives every waiter something to wait for: an idle resource, a ping, a construction, or a used resource. */
  #dispatch(): void {
    while (this.#waiters.size > this.#pings.size) {
      // The clock is read for each waiter, so it is skipped when there is no idle slot to compare with it.
      const now = this.#slots.idle.size > 0 ? performance.now() : 0;
      const slot = this.#newestIdle(now);
      const canConstruct =
        this.#waiters.size > this.#constructions.size + this.#pings.size &&
        this.#parts.hasRoom &&
        !this.#outage.holdsBack(false);
      // Do not search a long queue when there is nothing to hand out.
      if (slot === undefined && !canConstruct) return this.sharing.onHead?.();
      const waiter = this.#waiters.firstWithoutSupply();
      if (waiter === undefined) return;
      if (slot === undefined) this.#construct(waiter);
      else if (this.#pings.isStale(slot, now)) this.#pings.start(slot, waiter);
      else {
        this.#kind.unpark(slot.resource);
        this.#serve(slot, now);
      }
    }
  }

  #construct(waiter: Waiter<T, C> | undefined): void {
    const construction = this.#constructions.started(waiter, this.#parts.generation);
    this.#outage.starting(waiter === undefined);
    this.#counts.constructing();
    if (waiter !== undefined) this.#parts.explain(waiter);
    construction.attempt = this.#kind.create(waiter?.request.cause, (error, resource, reached) => {
      this.#constructions.ended(construction);
      if (resource === undefined) this.#failed(construction, error, reached);
      else this.#constructed(construction, resource);
    });
  }

  #failed({ waiter }: Construction<T, C>, error: unknown, reached: Reached): void {
    this.#listener.constructed(error, reached);
    const waitsOn = this.#outage.failed(error, reached);
    if (waiter?.waiting === true && !waitsOn) this.#reject(waiter, error);
    this.#dispatch();
    this.#listener.freed();
  }

  #constructed({ generation }: Construction<T, C>, resource: T): void {
    this.#outage.succeeded();
    const now = performance.now();
    const slot = new Slot(resource, now, expiry(now, this.#limits), generation);
    this.#slots.add(slot);
    this.#listener.placed(slot);
    // Notify only after the slot is placed: listeners read `total`.
    this.#listener.constructed(undefined);
    if (this.#waiters.size > 0) this.#serve(slot, now);
    else this.#returns.judge(slot, now);
    // There may now be room for the next waiter's construction.
    this.#dispatch();
  }

  /** Gives a usable resource to the oldest waiter, or parks it, unless it must be retired. */
  #recycle(slot: Slot<T>, now: number): void {
    if (slot.generation !== this.#parts.generation) this.#destroy(slot, 'reset');
    else if (now >= slot.expiresAt) this.#destroy(slot, 'lifetime');
    else if (this.#parts.total > this.#parts.max) this.#destroy(slot, 'resize');
    else if (slot.uses >= this.#limits.maxUses) this.#destroy(slot, 'max_uses');
    else if (this.#ending && this.#waiters.size === 0) this.#destroy(slot, 'pool_end');
    else if (this.#returns.reset(slot)) return;
    else if (this.#waiters.size > 0) this.#serve(slot, now);
    else {
      slot.idleSince = now;
      this.#slots.move(slot, 'idle');
      this.#kind.park(slot.resource);
    }
  }

  /** Hands a slot to the oldest waiter; the caller ensures that there is one. */
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
    if (this.#waiters.size > 0) return this.sharing.onHead?.();
    this.#outage.unwatch();
    // Another waiter may be served by a construction that was started for this one.
    if (!this.#ending) return;
    this.#abortUnwanted();
    this.#listener.drained();
  }

  /** Aborts the constructions that no acquirer waits for, and if none waits at all, ends the pauses between them. */
  #abortUnwanted(): void {
    if (this.#waiters.size === 0) for (const part of [this.#outage, this.#waiters]) part.stop();
    this.#constructions.abortUnwanted();
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
    if (waiter !== undefined) this.#parts.explain(waiter);
    this.#listener.freed(slot, from);
  }
}
