import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sweep } from '../../../src/engine/upkeep.js';
import { Acquirer, makeEngine, type FakeKind, type Resource } from '../../support/fake-kind.js';
import { Sharers } from '../../support/sharers.js';

/** The engine's invariants, and the records with which the test checks them. */
class Model {
  max: number;
  readonly maxConnecting: number;
  readonly retryMs: number;
  readonly maxPending: number;
  readonly kind: FakeKind;
  readonly engine: ReturnType<typeof makeEngine>['engine'];
  readonly acquirers: Acquirer[] = [];
  readonly holding = new Map<Resource, Acquirer>();
  readonly sharers: Sharers;
  ended = false;

  /**
   * The connections at the last check: after `resize` the maximum may be exceeded, but the total never grows meanwhile.
   */
  #lastTotal = 0;
  #unreachableSince = 0;
  /** What an ended pool was still waiting for at the engine's last report. */
  left = NaN;

  constructor({ max, maxConnecting, retryMs, maxPending, depth }: Shape) {
    this.max = max;
    this.maxConnecting = maxConnecting;
    this.retryMs = retryMs;
    this.maxPending = maxPending;
    const limits = { max, maxConnecting, retryMs, maxPending };
    const made = makeEngine({
      ...{ ...limits, lifetimeMs: 5_000, lifetimeJitterMs: 500, maxUses: 6 },
      // One of the timeouts used below, as the most common one.
      acquireTimeoutMs: 50,
    });
    this.kind = made.kind;
    this.engine = made.engine;
    this.kind.instantPings = false;
    this.sharers = new Sharers(made.engine, depth);
    // As in the pool, before any other listener is notified.
    const destroyed = this.kind.destroyed.bind(this.kind);
    this.kind.destroyed = (slot, from, reason) => {
      destroyed(slot, from, reason);
      this.#sharersLost(slot.resource);
    };
  }

  /** Updates the records after a step and checks every invariant. */
  check(): void {
    const { engine, kind } = this;
    for (const acquirer of this.acquirers) {
      if (acquirer.outcome === undefined || !('slot' in acquirer.outcome)) continue;
      const { resource } = acquirer.outcome.slot;
      const holder = this.holding.get(resource);
      if (holder === acquirer || this.returned.has(acquirer)) continue;
      expect(holder, 'one resource has one holder').toBeUndefined();
      if (acquirer.shares !== undefined) {
        expect(this.sharers.of(resource).has(acquirer)).toBe(true);
        continue;
      }
      expect(this.sharers.of(resource).size, 'one that needs it to itself shares it with none').toBe(0);
      expect(resource.destroyedFor, 'nobody is handed a destroyed resource').toBeUndefined();
      this.holding.set(resource, acquirer);
    }
    const living = kind.resources.filter((resource) => resource.destroyedFor === undefined);
    const most = Math.max(this.max, this.#lastTotal);
    expect(engine.state.total, 'never above the maximum').toBeLessThanOrEqual(most);
    this.#lastTotal = engine.state.total;
    expect(engine.state.connecting).toBeLessThanOrEqual(this.maxConnecting);
    expect(engine.state.connecting).toBe(kind.constructions.length);
    expect(engine.state.total, 'total is what lives and what is under way').toBe(
      living.length + engine.state.connecting,
    );
    expect(engine.state.total).toBe(engine.state.used + engine.state.idle + engine.state.connecting);
    expect(engine.state.idle).toBe(living.filter((resource) => resource.parked).length);
    for (const resource of living.filter(({ onSettled }) => onSettled !== undefined)) {
      const handed = resource.parked || this.holding.has(resource) || this.sharers.of(resource).size > 0;
      expect(handed, 'nobody gets a resource that is still settling').toBe(false);
    }
    const waiting = this.acquirers.filter((acquirer) => acquirer.outcome === undefined);
    expect(engine.state.pending).toBe(waiting.length);
    this.#checkOutage(waiting);
    this.sharers.check(waiting, this.pinging());
    const [first] = waiting;
    const overtaken =
      first !== undefined && this.acquirers.slice(this.acquirers.indexOf(first)).some(isServed);
    expect(overtaken, 'those that wait are served in their order').toBe(false);
    if (waiting.length > 0) {
      const { pausing } = this;
      const busy = engine.state.connecting + engine.state.used;
      expect(busy > 0 || pausing, 'a waiter has a construction, a pause or a busy resource to wait for').toBe(
        true,
      );
      const idles = engine.state.idle > 0 && this.pinging() < waiting.length;
      expect(idles, 'nothing idles while somebody waits for anything but a ping').toBe(false);
      const supply = engine.state.connecting + this.pinging();
      const saturated = engine.state.total >= this.max || engine.state.connecting === this.maxConnecting;
      expect(supply >= waiting.length || saturated || pausing, 'every waiter is provided for').toBe(true);
    }
    if (this.ended) {
      expect(engine.state.idle, 'an ended pool keeps nothing idle').toBe(0);
      if (waiting.length === 0) {
        expect(engine.state.connecting, 'an ended pool constructs for those that wait alone').toBe(0);
      }
    }
    const served = this.acquirers.filter(isServed);
    expect(engine.state.counts.acquireCount).toBe(served.length);
    expect(engine.state.counts.emptyAcquireCount).toBe(
      served.filter((acquirer) => acquirer.reason !== undefined).length,
    );
    expect(engine.state.counts.rejectedAcquireCount).toBe(this.acquirers.filter(isRefused).length);
  }

  /** Whether waiting acquirers may be waiting for the end of a pause between constructions. */
  get pausing(): boolean {
    return this.retryMs > 0 && this.engine.state.unreachable && vi.getTimerCount() > 0;
  }

  /** No acquire waits through an outage for longer than allowed. */
  #checkOutage(waiting: readonly Acquirer[]): void {
    const outage = this.kind.outages.at(-1);
    expect(this.engine.state.unreachable).toBe(outage !== undefined && outage.lastedMs === undefined);
    if (!this.engine.state.unreachable) this.#unreachableSince = 0;
    else this.#unreachableSince ||= outage?.at ?? 0;
    if (!this.engine.state.unreachable || this.retryMs === 0) return;
    for (const { startedAt } of waiting) {
      const waitedMs = performance.now() - Math.max(startedAt, this.#unreachableSince);
      expect(waitedMs, 'the wait through an outage ends').toBeLessThan(this.retryMs + 1);
    }
  }

  readonly returned = new Set<Acquirer>();

  pinging(): number {
    return this.kind.resources.filter((r) => r.answerPing !== undefined && r.destroyedFor === undefined)
      .length;
  }

  acquire(timeoutMs: number, shares: boolean): void {
    if (this.ended) return;
    const { pending } = this.engine.state;
    const name = `a${this.acquirers.length}`;
    const acquirer = new Acquirer(this.engine, name, timeoutMs, shares ? this.sharers : undefined);
    this.acquirers.push(acquirer);
    const full = pending >= this.maxPending && this.engine.state.idle === 0;
    if (isRefused(acquirer)) expect(full, 'refused only when the queue is full and nothing idle').toBe(true);
    else if (!isServed(acquirer) && pending >= this.maxPending)
      expect(this.pinging(), 'one too many waits only for a ping').toBeGreaterThan(0);
  }

  resize(max: number): void {
    this.max = max;
    this.engine.resize(max);
  }

  release(index: number, verdict: Resource['verdict']): void {
    const entry = pick([...this.holding], index);
    if (entry === undefined) return;
    const [resource, acquirer] = entry;
    resource.verdict = verdict;
    this.forget(resource, acquirer);
    this.engine.release(acquirer.slot, performance.now());
  }

  /** Answers one sharer; `verdict` is the judgment on its resource, if it is the last one. */
  answer(index: number, verdict: Resource['verdict']): void {
    const entry = pick(this.sharers.all, index);
    if (entry === undefined) return;
    const [resource, acquirer] = entry;
    resource.verdict = verdict;
    this.returned.add(acquirer);
    this.sharers.answer(resource, acquirer);
  }

  #sharersLost(resource: Resource): void {
    const sharers = [...this.sharers.of(resource)];
    if (sharers.length > 0) this.sharers.lost(resource);
    for (const acquirer of sharers) this.returned.add(acquirer);
  }

  /** A resource dies by itself, in whatever state. */
  kill(index: number): void {
    const resource = pick(
      this.kind.resources.filter((r) => r.destroyedFor === undefined),
      index,
    );
    if (resource?.slot === undefined) return;
    const acquirer = this.holding.get(resource);
    if (acquirer !== undefined) this.forget(resource, acquirer);
    this.engine.discard(resource.slot, 'dead');
  }

  /** Completes everything in progress, successfully or not, until no acquire waits. */
  drain(wells: readonly boolean[]): void {
    let turn = 0;
    const well = (): boolean => wells[turn++ % wells.length] ?? true;
    const rounds = 3 * (this.engine.state.pending + this.max + 1);
    for (let round = 0; round < rounds && this.engine.state.pending > 0; round += 1) {
      const { kind } = this;
      for (const construction of [...kind.constructions]) {
        const [isWell, isAway] = [well(), well()];
        if (isWell) construction.succeed();
        else if (isAway) construction.fail(new Error('unreachable'), false);
        else construction.fail(new Error('refused'));
        this.check();
      }
      for (const resource of kind.resources.filter(({ answerPing }) => answerPing !== undefined)) {
        resource.alive = well();
        resource.answerPing?.();
        this.check();
      }
      for (
        let at = kind.resources.filter(({ onSettled }) => onSettled !== undefined).length;
        at > 0;
        at -= 1
      ) {
        this.settle(0, well());
        this.check();
      }
      if (this.pausing) vi.advanceTimersByTime(5_000);
      for (let at = this.holding.size; at > 0; at -= 1) {
        this.release(0, well() ? 'ready' : 'busy');
        this.check();
      }
      for (let at = this.sharers.all.length; at > 0; at -= 1) {
        this.answer(0, well() ? 'ready' : 'busy');
        this.check();
      }
    }
    expect(this.engine.state.pending, 'whoever waits is served or told why not').toBe(0);
  }

  end(): void {
    this.engine.end();
    this.ended = true;
    const look = (): void => void (this.left = this.engine.state.total + this.engine.state.pending);
    this.kind.onProgress = look;
    look();
    this.check();
  }

  /** Releases all held resources; those that are settling or being pinged complete. */
  giveBackAll(): void {
    for (const [resource, acquirer] of [...this.holding]) {
      this.forget(resource, acquirer);
      resource.verdict = 'ready';
      this.engine.release(acquirer.slot, performance.now());
    }
    while (this.sharers.all.length > 0) this.answer(0, 'ready');
    for (const { answerPing } of [...this.kind.resources]) answerPing?.();
    while (this.kind.resources.some(({ onSettled }) => onSettled !== undefined)) this.settle(0, true);
    this.check();
  }

  forget(resource: Resource, acquirer: Acquirer): void {
    this.holding.delete(resource);
    this.returned.add(acquirer);
  }

  settle(index: number, ready: boolean): void {
    const resource = pick(
      this.kind.resources.filter((r) => r.onSettled !== undefined),
      index,
    );
    if (resource === undefined) return;
    resource.verdict = ready ? 'ready' : 'tx_open';
    const settled = resource.onSettled;
    resource.onSettled = undefined;
    settled?.();
  }
}

interface Shape {
  readonly max: number;
  readonly maxConnecting: number;
  readonly retryMs: number;
  readonly maxPending: number;
  /** The maximum number of sharers of a resource. */
  readonly depth: number;
}

function isServed({ outcome }: Acquirer): boolean {
  return outcome !== undefined && 'slot' in outcome;
}

function isRefused({ error }: Acquirer): boolean {
  return error instanceof Error && error.message === 'busy';
}

function pick<T>(items: readonly T[], index: number): T | undefined {
  return items.length === 0 ? undefined : items[index % items.length];
}

const index = fc.nat(30);
const verdict = fc.constantFrom<Resource['verdict'][]>(
  'ready',
  'ready',
  'ready',
  'settling',
  'tx_open',
  'busy',
);
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(fc.constantFrom(0, 50, 2_000), fc.boolean()).map(
      ([timeout, shares]) =>
        (m: Model) =>
          m.acquire(timeout, shares),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(index, verdict).map(
      ([i, found]) =>
        (m: Model) =>
          m.release(i, found),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(index, verdict).map(
      ([i, found]) =>
        (m: Model) =>
          m.answer(i, found),
    ),
  },
  { weight: 5, arbitrary: index.map((i) => (m: Model) => void pick(m.kind.constructions, i)?.succeed()) },
  {
    weight: 2,
    arbitrary: fc.tuple(index, fc.constantFrom(undefined, true, false)).map(
      ([i, reached]) =>
        (m: Model) =>
          pick(m.kind.constructions, i)?.fail(new Error('refused'), reached),
    ),
  },
  // An outage: everything in progress fails.
  {
    weight: 2,
    arbitrary: fc.constant((m: Model) => {
      for (const construction of [...m.kind.constructions])
        construction.fail(new Error('unreachable'), false);
    }),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }).map((max) => (m: Model) => m.resize(max)) },
  { weight: 2, arbitrary: index.map((i) => (m: Model) => m.kill(i)) },
  {
    weight: 2,
    arbitrary: fc.tuple(index, fc.boolean()).map(
      ([i, ok]) =>
        (m: Model) =>
          m.settle(i, ok),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(index, fc.boolean()).map(([i, alive]) => (m: Model) => {
      const resource = pick(
        m.kind.resources.filter((r) => r.answerPing !== undefined),
        i,
      );
      if (resource === undefined) return;
      resource.alive = alive;
      resource.answerPing?.();
    }),
  },
  {
    weight: 1,
    arbitrary: index.map((i) => (m: Model) => pick(m.acquirers, i)?.cancel(new Error('aborted'))),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 60, 1_100, 6_000).map((ms) => () => void vi.advanceTimersByTime(ms)),
  },
  {
    weight: 1,
    arbitrary: fc.nat(2).map((keep) => (m: Model) => sweep(m.engine, performance.now(), 1_000, keep)),
  },
  { weight: 1, arbitrary: fc.constant((m: Model) => void m.engine.constructSpare()) },
  { weight: 1, arbitrary: fc.constant((m: Model) => m.engine.reset()) },
);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it(
  'keeps every invariant through random sequences of acquire, share, release, kill, outage, resize and end',
  { timeout: 120_000 },
  () => {
    fc.assert(
      fc.property(
        fc.record({
          max: fc.integer({ min: 1, max: 4 }),
          maxConnecting: fc.integer({ min: 1, max: 4 }),
          retryMs: fc.constantFrom(0, 0, 300, 3_000),
          maxPending: fc.constantFrom(Infinity, Infinity, 1, 3),
          depth: fc.constantFrom(1, 2, 3, 8),
        }),
        fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }),
        fc.option(fc.array(fc.boolean(), { minLength: 1 }), { nil: undefined }),
        fc.boolean(),
        (shape, steps, wells, endsEarly) => {
          // Clear the timers of a failed run.
          vi.clearAllTimers();
          const model = new Model(shape);
          for (const run of steps) {
            run(model);
            model.check();
          }
          // The pool ends while acquires wait, or afterwards.
          if (endsEarly) model.end();
          if (wells !== undefined) model.drain(wells);
          if (!endsEarly) model.end();
          if (wells === undefined) {
            model.engine.rejectWaiters(() => new Error('ended'));
            model.check();
          }
          model.giveBackAll();
          expect(model.engine.state.total, 'all is given back').toBe(0);
          expect(model.left, 'the last that leaves an ended pool is reported').toBe(0);
          expect(vi.getTimerCount(), 'no timer is left').toBe(0);
        },
      ),
      // On a busy machine, as many runs as fit.
      { numRuns: 500, interruptAfterTimeLimit: 60_000 },
    );
  },
);
