import { LinkedList } from './linked-list.js';
import { Slot, Waiter, type AcquireWait } from './slot.js';

/** Reasons of the engine's own for destroying a resource; the resource's judge may give others. */
export type EngineReason = 'idle' | 'lifetime' | 'reset' | 'max_uses' | 'pool_end' | 'dead' | 'unsettled';

/** What the engine needs to be told of a kind of resource `T`, acquired on behalf of `C`, discarded for reasons `R`. */
export interface ResourceKind<T, C, R extends string> {
  /** Starts one construction; `done` is called exactly once, never synchronously, also after `abort`. */
  create(cause: C | undefined, done: (error: unknown, resource?: T) => void): { abort(): void };
  /** Whether a returned resource can be handed out again: now, once it has settled, or not at all. */
  judge(resource: T): 'ready' | 'settling' | R;
  /** Calls `done` when a settling resource may be judged again. */
  whenSettled(resource: T, done: () => void): void;
  /** Asks a resource that was idle for long whether it is alive; `done` is called once, within a bounded time. */
  ping(resource: T, done: (alive: boolean) => void): void;
  /** It goes idle. */
  park(resource: T): void;
  /** It leaves the idle ones: to be pinged or handed out. */
  unpark(resource: T): void;
  /** Destroys it synchronously: when this returns, its slot is free. */
  destroy(resource: T, reason: EngineReason | R, ageMs: number): void;
  /** A construction ended; without `error` its resource has been placed, and is not yet handed to anybody. */
  constructed(error: unknown, cause: C | undefined): void;
  /** A new resource has its slot, for life. */
  placed(slot: Slot<T>): void;
  /** A slot became free. */
  freed(): void;
}

/** Limits of the engine; times in milliseconds, 0 means off. */
export interface EngineLimits {
  readonly max: number;
  readonly maxConnecting: number;
  readonly lifetimeMs: number;
  readonly lifetimeJitterMs: number;
  readonly maxUses: number;
  /** A resource idle for longer than this is pinged before it is handed out. */
  readonly pingAfterMs: number;
  /** A returned resource that is still settling after this is destroyed. */
  readonly settleMs: number;
}

/**
 * The engine: hands resources to acquirers with pgxpool's semantics and counts what it does.
 * It knows neither what a resource is nor who watches.
 */
export class ResourcePool<T, C, R extends string> {
  readonly #kind: ResourceKind<T, C, R>;
  readonly #limits: EngineLimits;
  readonly #idle = new LinkedList<Slot<T>>();
  readonly #held = new LinkedList<Slot<T>>();
  /** Being pinged or settling: used, but handed to nobody. */
  readonly #between = new LinkedList<Slot<T>>();
  readonly #waiters = new LinkedList<Waiter<T, C>>();
  readonly #constructions = new Set<{ abort(): void }>();
  /** Pings under way on behalf of a waiter. */
  readonly #checks = new Map<Slot<T>, Waiter<T, C>>();
  #generation = 0;
  ending = false;

  acquireCount = 0;
  acquireDurationMs = 0;
  canceledAcquireCount = 0;
  emptyAcquireCount = 0;
  emptyAcquireWaitMs = 0;
  constructionCount = 0;
  lifetimeDestroyCount = 0;
  idleDestroyCount = 0;

  constructor(kind: ResourceKind<T, C, R>, limits: EngineLimits) {
    this.#kind = kind;
    this.#limits = limits;
  }

  get constructing(): number {
    return this.#constructions.size;
  }
  get acquired(): number {
    return this.#held.size + this.#between.size;
  }
  get idle(): number {
    return this.#idle.size;
  }
  get total(): number {
    return this.#constructions.size + this.#held.size + this.#between.size + this.#idle.size;
  }
  get pending(): number {
    return this.#waiters.size;
  }
  /** Checked-out slots, longest held first. */
  get holders(): Iterable<Slot<T>> {
    return this.#held;
  }
  get oldestHolder(): Slot<T> | undefined {
    return this.#held.head;
  }
  get oldestWaiter(): Waiter<T, C> | undefined {
    return this.#waiters.head;
  }

  /** The hot path: an idle resource that is fresh enough to be handed out as it is, or `undefined`. */
  tryAcquire(now: number): Slot<T> | undefined {
    if (this.#waiters.size > 0) return undefined;
    for (;;) {
      const slot = this.#idle.tail;
      if (slot === undefined || now - slot.idleSince > this.#limits.pingAfterMs) return undefined;
      if (now >= slot.expiresAt) {
        this.#destroy(slot, 'lifetime');
        continue;
      }
      this.#idle.remove(slot);
      this.#kind.unpark(slot.resource);
      this.acquireCount += 1;
      return this.#hold(slot, now);
    }
  }

  /** Queues an acquirer; `request` is called back exactly once. */
  wait(request: AcquireWait<T, C>, startedAt: number, timeoutMs: number): Waiter<T, C> {
    const waiter = new Waiter(request, startedAt);
    this.#waiters.push(waiter);
    if (timeoutMs > 0) {
      waiter.timer = setTimeout(() => {
        this.cancel(waiter, request.timeoutError());
      }, timeoutMs);
    }
    this.#dispatch();
    this.#explain(waiter);
    return waiter;
  }

  /** Takes a waiter out of the queue, counted as cancelled; no effect if it was served meanwhile. */
  cancel(waiter: Waiter<T, C>, error: unknown): void {
    if (!waiter.waiting) return;
    this.canceledAcquireCount += 1;
    this.#reject(waiter, error);
  }

  /** Returns a held slot; with a `reason` its resource is destroyed, else it is judged. */
  release(slot: Slot<T>, now: number, reason?: R): void {
    if (slot.state !== 'held') return;
    this.#held.remove(slot);
    this.#between.push(slot);
    slot.state = 'between';
    if (reason !== undefined) this.#destroy(slot, reason);
    else this.#judge(slot, now);
  }

  /** The resource died by itself, or must go whatever its state: its slot is free when this returns. */
  discard(slot: Slot<T>, reason: EngineReason | R): void {
    if (slot.state !== 'gone') this.#destroy(slot, reason);
  }

  /** Starts a construction for nobody in particular; `false` when there is no room. */
  constructSpare(): boolean {
    if (this.ending || !this.#hasRoom()) return false;
    this.#construct(undefined);
    return true;
  }

  /** Destroys idle resources that outlived their lifetime, and those idle for `idleMs` beyond the first `keep` of all. */
  sweep(now: number, idleMs: number, keep: number): void {
    for (const slot of [...this.#idle]) {
      if (slot.state !== 'idle') continue;
      if (now >= slot.expiresAt) this.#destroy(slot, 'lifetime');
      else if (idleMs > 0 && now - slot.idleSince >= idleMs && this.total > keep) this.#destroy(slot, 'idle');
    }
  }

  /** Drops what is idle and retires the rest when it is returned. */
  reset(): void {
    this.#generation += 1;
    for (const slot of [...this.#idle]) this.discard(slot, 'reset');
  }

  /** Rejects waiters, gives up constructions, destroys all that nobody holds; held ones are destroyed when returned. */
  end(error: () => unknown): void {
    this.ending = true;
    for (const waiter of [...this.#waiters]) this.#reject(waiter, error());
    for (const construction of [...this.#constructions]) construction.abort();
    for (const slot of [...this.#idle, ...this.#between]) this.discard(slot, 'pool_end');
  }

  #hasRoom(): boolean {
    return this.total < this.#limits.max && this.constructing < this.#limits.maxConnecting;
  }

  /** Gives every waiter something to wait for: an idle resource, a ping, a construction, or a busy one. */
  #dispatch(): void {
    if (this.ending) return;
    while (this.#waiters.size > this.#checks.size) {
      const slot = this.#idle.tail;
      const canConstruct = this.#waiters.size > this.constructing + this.#checks.size && this.#hasRoom();
      // Nobody is looked for in a long queue when there is nothing to give.
      if (slot === undefined && !canConstruct) return;
      const waiter = this.#firstWithoutSupply();
      if (waiter === undefined) return;
      if (slot === undefined) this.#construct(waiter);
      else this.#offer(slot, waiter, performance.now());
    }
  }

  #offer(slot: Slot<T>, waiter: Waiter<T, C>, now: number): void {
    if (now >= slot.expiresAt) {
      this.#destroy(slot, 'lifetime');
    } else if (now - slot.idleSince > this.#limits.pingAfterMs) {
      this.#check(slot, waiter);
    } else {
      this.#idle.remove(slot);
      this.#kind.unpark(slot.resource);
      this.#serve(slot, now);
    }
  }

  /** Those with a supply of their own are at most as many as there are constructions and pings. */
  #firstWithoutSupply(): Waiter<T, C> | undefined {
    let waiter = this.#waiters.head;
    while (waiter?.supply !== undefined) waiter = waiter.next;
    return waiter;
  }

  #construct(waiter: Waiter<T, C> | undefined): void {
    const generation = this.#generation;
    this.constructionCount += 1;
    const placeholder = { abort: (): void => undefined };
    // Counted before anything is called, so that no callee sees room that is taken.
    this.#constructions.add(placeholder);
    if (waiter !== undefined) {
      waiter.supply = 'construction';
      this.#explain(waiter);
    }
    const cause = waiter?.request.cause;
    const construction = this.#kind.create(cause, (error, resource) => {
      this.#constructions.delete(placeholder);
      if (waiter !== undefined) waiter.supply = undefined;
      this.#constructed(error, resource, generation, waiter);
    });
    placeholder.abort = () => {
      construction.abort();
    };
  }

  #constructed(
    error: unknown,
    resource: T | undefined,
    generation: number,
    waiter: Waiter<T, C> | undefined,
  ): void {
    if (resource === undefined) {
      this.#kind.constructed(error, waiter?.request.cause);
      if (waiter?.waiting === true) this.#reject(waiter, error);
      this.#dispatch();
      this.#kind.freed();
      return;
    }
    const now = performance.now();
    const { lifetimeMs, lifetimeJitterMs } = this.#limits;
    const expiresAt = lifetimeMs === 0 ? Infinity : now + lifetimeMs + Math.random() * lifetimeJitterMs;
    const slot = new Slot(resource, now, expiresAt, generation);
    this.#between.push(slot);
    this.#kind.placed(slot);
    // Not before it has its place: whoever is told counts what there is room for.
    this.#kind.constructed(undefined, waiter?.request.cause);
    if (this.#waiters.size > 0) {
      this.#between.remove(slot);
      this.#serve(slot, now);
    } else this.#judge(slot, now);
    // Room to construct for the next in line.
    this.#dispatch();
  }

  #check(slot: Slot<T>, waiter: Waiter<T, C> | undefined): void {
    this.#idle.remove(slot);
    this.#between.push(slot);
    slot.state = 'between';
    if (waiter !== undefined) {
      waiter.supply = 'ping';
      this.#checks.set(slot, waiter);
    }
    this.#kind.unpark(slot.resource);
    this.#kind.ping(slot.resource, (alive) => {
      if (slot.state === 'gone') return;
      if (alive) {
        this.#endCheck(slot);
        this.#recycle(slot, performance.now());
        return;
      }
      // Others that were idle as long probably died of the same; they are asked aside, while the waiter gets a new one.
      const now = performance.now();
      for (const other of [...this.#idle]) {
        if (now - other.idleSince > this.#limits.pingAfterMs) this.#check(other, undefined);
      }
      this.#destroy(slot, 'dead');
    });
  }

  #endCheck(slot: Slot<T>): Waiter<T, C> | undefined {
    const waiter = this.#checks.get(slot);
    if (waiter === undefined) return undefined;
    this.#checks.delete(slot);
    waiter.supply = undefined;
    return waiter;
  }

  #judge(slot: Slot<T>, now: number): void {
    if (this.ending) {
      this.#destroy(slot, 'pool_end');
      return;
    }
    const verdict = this.#kind.judge(slot.resource);
    if (verdict === 'ready') this.#recycle(slot, now);
    else if (verdict === 'settling') this.#settle(slot);
    else this.#destroy(slot, verdict);
  }

  #settle(slot: Slot<T>): void {
    slot.settling = setTimeout(() => {
      this.discard(slot, 'unsettled');
    }, this.#limits.settleMs);
    slot.settling.unref();
    this.#kind.whenSettled(slot.resource, () => {
      clearTimeout(slot.settling);
      if (slot.state === 'between') this.#judge(slot, performance.now());
    });
  }

  /** A good resource that nobody holds: to the oldest waiter, or idle, unless it has served its time. */
  #recycle(slot: Slot<T>, now: number): void {
    if (slot.generation !== this.#generation) this.#destroy(slot, 'reset');
    else if (now >= slot.expiresAt) this.#destroy(slot, 'lifetime');
    else if (slot.uses >= this.#limits.maxUses) this.#destroy(slot, 'max_uses');
    else {
      this.#between.remove(slot);
      if (this.#waiters.size > 0) this.#serve(slot, now);
      else this.#park(slot, now);
    }
  }

  #park(slot: Slot<T>, now: number): void {
    slot.state = 'idle';
    slot.idleSince = now;
    this.#idle.push(slot);
    this.#kind.park(slot.resource);
  }

  /** To the oldest waiter, of which there is one; the slot is in no list. */
  #serve(slot: Slot<T>, now: number): void {
    const waiter = this.#waiters.head;
    if (waiter === undefined) throw new Error('nobody waits');
    const waitMs = now - waiter.startedAt;
    this.acquireCount += 1;
    this.acquireDurationMs += waitMs;
    if (waiter.reason !== undefined) {
      this.emptyAcquireCount += 1;
      this.emptyAcquireWaitMs += waitMs;
    }
    this.#dequeue(waiter);
    waiter.request.served(this.#hold(slot, now), waitMs);
  }

  #hold(slot: Slot<T>, now: number): Slot<T> {
    slot.state = 'held';
    slot.heldSince = now;
    slot.uses += 1;
    this.#held.push(slot);
    return slot;
  }

  #reject(waiter: Waiter<T, C>, error: unknown): void {
    this.#dequeue(waiter);
    waiter.request.rejected(error, performance.now() - waiter.startedAt);
  }

  #dequeue(waiter: Waiter<T, C>): void {
    this.#waiters.remove(waiter);
    waiter.waiting = false;
    clearTimeout(waiter.timer);
    waiter.onDone?.();
  }

  /** Says once why a waiter waits, unless an idle resource is being pinged for it. */
  #explain(waiter: Waiter<T, C>): void {
    if (!waiter.waiting || waiter.reason !== undefined || waiter.supply === 'ping') return;
    // A spare construction may be what it waits for.
    const served = this.#waiters.size <= this.constructing + this.#checks.size;
    const construction = waiter.supply === 'construction' || served || this.total < this.#limits.max;
    waiter.reason = construction ? 'new_connection' : 'exhausted';
    waiter.request.waiting(waiter.reason);
  }

  #destroy(slot: Slot<T>, reason: EngineReason | R): void {
    const list = slot.state === 'held' ? this.#held : slot.state === 'idle' ? this.#idle : this.#between;
    slot.state = 'gone';
    clearTimeout(slot.settling);
    this.#kind.destroy(slot.resource, reason, performance.now() - slot.createdAt);
    list.remove(slot);
    if (reason === 'lifetime') this.lifetimeDestroyCount += 1;
    if (reason === 'idle') this.idleDestroyCount += 1;
    const waiter = this.#endCheck(slot);
    this.#dispatch();
    if (waiter !== undefined) this.#explain(waiter);
    this.#kind.freed();
  }
}
