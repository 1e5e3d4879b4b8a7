import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sweep } from '../../../src/engine/upkeep.js';
import { Acquirer, makeEngine, type FakeKind } from '../../support/fake-kind.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function succeed(kind: FakeKind, index = 0): ReturnType<FakeKind['constructions'][number]['succeed']> {
  const construction = kind.constructions[index];
  if (construction === undefined) throw new Error(`no construction ${index}`);
  return construction.succeed();
}

describe('Engine: acquire', () => {
  it('constructs nothing before the first acquire, and then for that acquire', () => {
    const { kind, engine } = makeEngine();
    expect(engine.state.total).toBe(0);
    const a = new Acquirer(engine, 'a');
    expect(kind.constructions.map((c) => c.cause)).toEqual(['a']);
    expect(a.reason).toBe('new_connection');
    expect([engine.state.connecting, engine.state.used, engine.state.idle, engine.state.total]).toEqual([
      1, 0, 0, 1,
    ]);
    succeed(kind);
    expect(a.slot.resource.id).toBe(1);
    expect([engine.state.connecting, engine.state.used, engine.state.idle, engine.state.total]).toEqual([
      0, 1, 0, 1,
    ]);
  });

  it('hands out the resource that became idle last', () => {
    const { kind, engine } = makeEngine();
    const [a, b] = [new Acquirer(engine, 'a'), new Acquirer(engine, 'b')];
    succeed(kind);
    succeed(kind);
    engine.release(a.slot, performance.now());
    engine.release(b.slot, performance.now());
    expect(new Acquirer(engine, 'c').slot).toBe(b.slot);
    expect(new Acquirer(engine, 'd').slot).toBe(a.slot);
  });

  it('gives a released resource to the oldest waiter', () => {
    const { kind, engine } = makeEngine({ max: 1 });
    const a = new Acquirer(engine, 'a');
    succeed(kind);
    const b = new Acquirer(engine, 'b');
    const c = new Acquirer(engine, 'c');
    expect([b.reason, c.reason]).toEqual(['exhausted', 'exhausted']);
    engine.release(a.slot, performance.now());
    expect(b.slot.resource.id).toBe(1);
    expect(c.outcome).toBeUndefined();
    expect(engine.state.pending).toBe(1);
  });

  it('runs at most maxConnecting constructions at once, and starts the next when one ends', () => {
    const { kind, engine } = makeEngine({ max: 10, maxConnecting: 2 });
    const acquirers = ['a', 'b', 'c'].map((name) => new Acquirer(engine, name));
    expect(kind.constructions.map((c) => c.cause)).toEqual(['a', 'b']);
    succeed(kind);
    expect(acquirers[0]?.slot.resource.id).toBe(1);
    expect(kind.constructions.map((c) => c.cause)).toEqual(['b', 'c']);
  });

  it('rejects only the acquire whose construction failed, and constructs again for the others', () => {
    const { kind, engine } = makeEngine({ max: 1 });
    const [a, b] = [new Acquirer(engine, 'a'), new Acquirer(engine, 'b')];
    const refused = new Error('refused');
    kind.constructions[0]?.fail(refused);
    expect(a.error).toBe(refused);
    expect(b.outcome).toBeUndefined();
    expect(kind.constructions.map((c) => c.cause)).toEqual(['b']);
    succeed(kind);
    expect(b.slot.resource.id).toBe(1);
  });

  it('constructs for the next waiter when a construction fails whose own acquire was already served', () => {
    const { kind, engine } = makeEngine();
    const a = new Acquirer(engine, 'a');
    succeed(kind);
    const b = new Acquirer(engine, 'b');
    const c = new Acquirer(engine, 'c');
    engine.release(a.slot, performance.now());
    expect(b.slot.resource.id).toBe(1);
    expect(kind.constructions.map((x) => x.cause)).toEqual(['b']);
    kind.constructions[0]?.fail(new Error('refused'));
    expect(c.outcome).toBeUndefined();
    expect(kind.constructions.map((x) => x.cause)).toEqual(['c']);
  });

  it('removes a timed-out waiter from the queue and parks the resource constructed for it', () => {
    const { kind, engine } = makeEngine();
    const a = new Acquirer(engine, 'a', 100);
    vi.advanceTimersByTime(100);
    expect((a.error as Error).message).toBe('timeout');
    expect([
      engine.state.pending,
      engine.state.counts.canceledAcquireCount,
      engine.state.counts.acquireCount,
    ]).toEqual([0, 1, 0]);
    const resource = succeed(kind);
    expect(resource.parked).toBe(true);
    expect(engine.state.idle).toBe(1);
  });

  it('counts a cancelled waiter once, and not if it was served before', () => {
    const { kind, engine } = makeEngine();
    const a = new Acquirer(engine, 'a');
    succeed(kind);
    a.cancel(new Error('too late'));
    expect(engine.state.counts.canceledAcquireCount).toBe(0);
    const [b, c] = [new Acquirer(engine, 'b'), new Acquirer(engine, 'c')];
    const aborted = new Error('aborted');
    c.cancel(aborted);
    c.cancel(aborted);
    expect(c.error).toBe(aborted);
    expect(engine.state.counts.canceledAcquireCount).toBe(1);
    expect(b.outcome).toBeUndefined();
  });
});

describe('Engine: ping', () => {
  it('pings a resource that was idle for over a second, and no earlier', async () => {
    const { kind, engine } = makeEngine();
    const a = new Acquirer(engine, 'a');
    succeed(kind);
    kind.instantPings = false;
    engine.release(a.slot, performance.now());
    vi.advanceTimersByTime(1_000);
    const b = new Acquirer(engine, 'b');
    expect(b.slot).toBe(a.slot);
    engine.release(b.slot, performance.now());
    vi.advanceTimersByTime(1_001);
    const c = new Acquirer(engine, 'c');
    expect(c.outcome).toBeUndefined();
    expect([engine.state.used, engine.state.idle, engine.state.pending]).toEqual([1, 0, 1]);
    kind.resources[0]?.answerPing?.();
    expect(c.slot).toBe(a.slot);
    expect(c.reason).toBeUndefined();
    expect(engine.state.counts.emptyAcquireCount).toBe(1);
    await Promise.resolve();
  });

  it('replaces a dead resource, and pings the other stale ones in the background', () => {
    const { kind, engine } = makeEngine({ max: 3, maxConnecting: 3 });
    const held = ['a', 'b', 'c'].map((name) => new Acquirer(engine, name));
    const resources = [succeed(kind), succeed(kind), succeed(kind)];
    for (const { slot } of held) engine.release(slot, performance.now());
    kind.instantPings = false;
    vi.advanceTimersByTime(2_000);
    for (const resource of resources) resource.alive = false;
    const d = new Acquirer(engine, 'd');
    resources[2]?.answerPing?.();
    expect(resources[2]?.destroyedFor).toBe('dead');
    expect(kind.constructions.map((c) => c.cause)).toEqual(['d']);
    expect(d.reason).toBe('new_connection');
    resources[0]?.answerPing?.();
    resources[1]?.answerPing?.();
    expect(resources.map((r) => r.destroyedFor)).toEqual(['dead', 'dead', 'dead']);
    expect(engine.state.total).toBe(1);
  });

  it('serves the waiter with a released resource if that comes before the answer to the ping', () => {
    const { kind, engine } = makeEngine();
    const [a, b] = [new Acquirer(engine, 'a'), new Acquirer(engine, 'b')];
    succeed(kind);
    succeed(kind);
    engine.release(a.slot, performance.now());
    kind.instantPings = false;
    vi.advanceTimersByTime(2_000);
    const c = new Acquirer(engine, 'c');
    engine.release(b.slot, performance.now());
    expect(c.slot).toBe(b.slot);
    a.slot.resource.answerPing?.();
    expect([engine.state.idle, engine.state.used]).toEqual([1, 1]);
  });
});

describe('Engine: release', () => {
  it('destroys a resource that its judge refuses, and frees the slot', () => {
    const { kind, engine } = makeEngine({ max: 1 });
    const a = new Acquirer(engine, 'a');
    const resource = succeed(kind);
    const b = new Acquirer(engine, 'b');
    resource.verdict = 'tx_open';
    engine.release(a.slot, performance.now());
    expect(resource.destroyedFor).toBe('tx_open');
    expect(kind.constructions.map((c) => c.cause)).toEqual(['b']);
    expect(b.reason).toBe('exhausted');
    expect(engine.state.total).toBe(1);
  });

  it('counts a settling resource as used and does not hand it out until it has settled', () => {
    const { kind, engine } = makeEngine({ max: 1 });
    const a = new Acquirer(engine, 'a');
    const resource = succeed(kind);
    const b = new Acquirer(engine, 'b');
    resource.verdict = 'settling';
    engine.release(a.slot, performance.now());
    expect([engine.state.used, engine.state.idle]).toEqual([1, 0]);
    expect(engine.state.oldestHolder).toBeUndefined();
    resource.verdict = 'ready';
    resource.onSettled?.();
    expect(b.slot.resource).toBe(resource);
  });

  it('destroys a resource that does not settle within its time', () => {
    const { kind, engine } = makeEngine();
    const a = new Acquirer(engine, 'a');
    const resource = succeed(kind);
    resource.verdict = 'settling';
    engine.release(a.slot, performance.now());
    vi.advanceTimersByTime(1_000);
    expect(resource.destroyedFor).toBe('unsettled');
    resource.onSettled?.();
    expect(engine.state.total).toBe(0);
  });

  it('has no effect the second time, nor after the resource was lost', () => {
    const { kind, engine } = makeEngine();
    const a = new Acquirer(engine, 'a');
    const resource = succeed(kind);
    engine.discard(a.slot, 'dead');
    expect(engine.state.total).toBe(0);
    engine.release(a.slot, performance.now());
    expect(resource.destroyedFor).toBe('dead');
    expect(engine.state.total).toBe(0);
  });

  it('destroys a resource after its number of uses', () => {
    const { kind, engine } = makeEngine({ maxUses: 2 });
    const a = new Acquirer(engine, 'a');
    const resource = succeed(kind);
    engine.release(a.slot, performance.now());
    engine.release(new Acquirer(engine, 'b').slot, performance.now());
    expect(resource.destroyedFor).toBe('max_uses');
  });
});

describe('Engine: lifetime', () => {
  it('ends at acquire, at release and at the health check, never mid-use', () => {
    const { kind, engine } = makeEngine({ lifetimeMs: 500, max: 3, maxConnecting: 3 });
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new Acquirer(engine, name));
    const resources = [succeed(kind), succeed(kind), succeed(kind)];
    if (a === undefined || b === undefined || c === undefined) throw new Error('three acquirers');
    engine.release(a.slot, performance.now());
    engine.release(b.slot, performance.now());
    vi.advanceTimersByTime(500);
    expect(resources.map((r) => r.destroyedFor)).toEqual([undefined, undefined, undefined]);
    engine.release(c.slot, performance.now());
    expect(resources[2]?.destroyedFor).toBe('lifetime');
    const d = new Acquirer(engine, 'd');
    expect(resources[1]?.destroyedFor).toBe('lifetime');
    expect(resources[0]?.destroyedFor).toBe('lifetime');
    expect(d.reason).toBe('new_connection');
    succeed(kind);
    engine.release(d.slot, performance.now());
    vi.advanceTimersByTime(500);
    sweep(engine, performance.now(), 0, 0);
    expect(kind.resources[3]?.destroyedFor).toBe('lifetime');
    expect(engine.state.counts.lifetimeDestroyCount).toBe(4);
  });

  it('is stretched by a random part of the jitter', () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { kind, engine } = makeEngine({ lifetimeMs: 500, lifetimeJitterMs: 100 });
    const a = new Acquirer(engine, 'a');
    succeed(kind);
    expect(a.slot.expiresAt - performance.now()).toBe(550);
    random.mockRestore();
  });
});

describe('Engine: sweep', () => {
  it('destroys resources that were idle for too long, but keeps the minimum', () => {
    const { kind, engine } = makeEngine({ max: 3, maxConnecting: 3 });
    const acquirers = ['a', 'b', 'c'].map((name) => new Acquirer(engine, name));
    const resources = [succeed(kind), succeed(kind), succeed(kind)];
    for (const { slot } of acquirers) engine.release(slot, performance.now());
    vi.advanceTimersByTime(300);
    sweep(engine, performance.now(), 300, 1);
    expect(resources.map((r) => r.destroyedFor)).toEqual(['idle', 'idle', undefined]);
    expect(engine.state.counts.idleDestroyCount).toBe(2);
  });
});

describe('Engine: reset', () => {
  it('destroys idle resources at once, and the others when they are released', () => {
    const { kind, engine } = makeEngine();
    const [a, b] = [new Acquirer(engine, 'a'), new Acquirer(engine, 'b')];
    const [first, second] = [succeed(kind), succeed(kind)];
    engine.release(a.slot, performance.now());
    engine.reset();
    expect(first.destroyedFor).toBe('reset');
    expect(second.destroyedFor).toBeUndefined();
    engine.release(b.slot, performance.now());
    expect(second.destroyedFor).toBe('reset');
    expect(engine.state.counts.lifetimeDestroyCount).toBe(0);
  });
});

describe('Engine: end', () => {
  it('serves waiters, abandons constructions without an acquire, destroys idle resources at once and held ones when they are released', () => {
    const { kind, engine } = makeEngine({ max: 3, maxConnecting: 3 });
    const [a, b] = [new Acquirer(engine, 'a'), new Acquirer(engine, 'b')];
    const [first, second] = [succeed(kind), succeed(kind)];
    engine.release(a.slot, performance.now());
    engine.constructSpare();
    engine.end();
    expect(first.destroyedFor).toBe('pool_end');
    expect(kind.aborted).toBe(1);
    expect(second.destroyedFor).toBeUndefined();
    engine.release(b.slot, performance.now());
    expect(second.destroyedFor).toBe('pool_end');
    expect([engine.state.total, engine.constructSpare()]).toEqual([0, false]);
  });

  it('serves waiters with released and newly constructed resources', () => {
    const { kind, engine } = makeEngine({ max: 2, maxConnecting: 1 });
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new Acquirer(engine, name));
    engine.end();
    kind.constructions[0]?.fail(new Error('refused'));
    expect(a?.error).toBeInstanceOf(Error);
    const resource = succeed(kind);
    expect(b?.slot.resource).toBe(resource);
    if (b !== undefined) engine.release(b.slot, performance.now());
    expect(c?.slot.resource).toBe(resource);
    // The construction that was started for c is no longer needed.
    expect([kind.constructions.length, kind.aborted]).toEqual([0, 1]);
    if (c !== undefined) engine.release(c.slot, performance.now());
    expect([resource.destroyedFor, engine.state.total]).toEqual(['pool_end', 0]);
  });

  it('lets a released resource settle before it is destroyed', () => {
    const { kind, engine } = makeEngine();
    const a = new Acquirer(engine, 'a');
    const resource = succeed(kind);
    resource.verdict = 'settling';
    engine.release(a.slot, performance.now());
    engine.end();
    expect(resource.destroyedFor).toBeUndefined();
    resource.verdict = 'tx_open';
    resource.onSettled?.();
    expect([resource.destroyedFor, engine.state.total]).toEqual(['tx_open', 0]);
  });

  it('rejects the waiters on request, and abandons their constructions', () => {
    const { kind, engine } = makeEngine();
    const [a, b] = [new Acquirer(engine, 'a'), new Acquirer(engine, 'b')];
    const ended = new Error('ended');
    engine.end();
    engine.rejectWaiters(() => ended);
    expect([a.error, b.error]).toEqual([ended, ended]);
    expect([kind.aborted, engine.state.total]).toEqual([2, 0]);
  });
});

describe('Engine: statistics', () => {
  it('count like pgxpool: an acquire that waited or constructed is empty, a warm one is not, a failed dial is neither success nor cancel', () => {
    const { kind, engine } = makeEngine({ max: 1 });
    const a = new Acquirer(engine, 'a');
    vi.advanceTimersByTime(40);
    succeed(kind);
    engine.release(a.slot, performance.now());
    const b = new Acquirer(engine, 'b');
    const c = new Acquirer(engine, 'c');
    vi.advanceTimersByTime(10);
    engine.release(b.slot, performance.now());
    engine.release(c.slot, performance.now(), 'busy');
    new Acquirer(engine, 'd');
    kind.constructions[0]?.fail(new Error('refused'));
    expect(engine.state.counts.acquireCount).toBe(3);
    expect(engine.state.counts.acquireDurationMs).toBe(50);
    expect(engine.state.counts.emptyAcquireCount).toBe(2);
    expect(engine.state.counts.emptyAcquireWaitMs).toBe(50);
    expect(engine.state.counts.canceledAcquireCount).toBe(0);
    expect(engine.state.counts.constructionCount).toBe(2);
  });
});
