import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Upkeep } from '../../../src/engine/upkeep.js';
import { Acquirer, makeEngine, type FakeKind } from '../../support/fake-kind.js';

beforeEach(() => {
  vi.useFakeTimers();
  // Use the longest possible pauses.
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const unreachable = new Error('unreachable');

function failAll(kind: FakeKind): void {
  for (const construction of [...kind.constructions]) construction.fail(unreachable, false);
}

function acquirers(
  engine: ReturnType<typeof makeEngine>['engine'],
  count: number,
  timeoutMs = 0,
): Acquirer[] {
  return Array.from({ length: count }, (_, at) => new Acquirer(engine, `a${at}`, timeoutMs));
}

describe('an outage with retryMs', () => {
  const limits = { max: 4, maxConnecting: 4, retryMs: 10_000 };

  it('rejects no waiter, and constructs one resource at a time', () => {
    const { kind, engine } = makeEngine(limits);
    const waiting = acquirers(engine, 6);
    expect(kind.constructions).toHaveLength(4);
    failAll(kind);
    expect(kind.constructions).toHaveLength(0);
    expect(engine.state).toMatchObject({ unreachable: true, pending: 6, total: 0 });
    expect(kind.outages).toMatchObject([{ error: unreachable, lastedMs: undefined }]);
    vi.advanceTimersByTime(100);
    expect(kind.constructions).toHaveLength(1);
    expect(waiting.map(({ outcome }) => outcome)).toEqual(Array(6).fill(undefined));
  });

  it('ends with the first success, after which up to maxConnecting resources are constructed at once', () => {
    const { kind, engine } = makeEngine({ ...limits, maxConnecting: 2 });
    const [first] = acquirers(engine, 4);
    failAll(kind);
    vi.advanceTimersByTime(100);
    kind.constructions[0]?.succeed();
    expect(first?.slot.resource.id).toBe(1);
    expect(engine.state.unreachable).toBe(false);
    expect(kind.outages).toMatchObject([{ lastedMs: expect.any(Number) as number }]);
    expect(kind.constructions).toHaveLength(2);
  });

  it('pauses for at most 900 ms while the server answers, and for longer again when it does not', () => {
    const { kind, engine } = makeEngine({ ...limits, max: 1, retryMs: 600_000 });
    acquirers(engine, 1);
    const pauseAfter = (reached: false | 'soon'): number => {
      kind.constructions[0]?.fail(unreachable, reached);
      let ms = 0;
      while (kind.constructions.length === 0) {
        vi.advanceTimersByTime(1);
        ms += 1;
      }
      return ms;
    };
    const pauses = (count: number, reached: false | 'soon'): number[] =>
      Array.from({ length: count }, () => pauseAfter(reached));
    // Bounds of 100 ms, doubled each time; a construction that starts in an outage begins the next pause.
    expect(Math.max(...pauses(12, 'soon'))).toBe(899);
    expect(Math.max(...pauses(3, false))).toBeGreaterThan(4_900);
    expect(Math.max(...pauses(3, 'soon').slice(1))).toBe(899);
  });

  it('ends the wait after retryMs with the timeout error, counted as such', () => {
    const { kind, engine } = makeEngine(limits);
    const [early] = acquirers(engine, 1);
    vi.advanceTimersByTime(1_000);
    failAll(kind);
    vi.advanceTimersByTime(5_000);
    const [late] = acquirers(engine, 1);
    for (let ms = 0; ms < 5_500; ms += 100) {
      vi.advanceTimersByTime(100);
      failAll(kind);
    }
    expect(early?.error).toEqual(new Error('timeout'));
    expect(late?.outcome).toBeUndefined();
    for (let ms = 0; ms < 5_000; ms += 100) {
      vi.advanceTimersByTime(100);
      failAll(kind);
    }
    expect(late?.error).toEqual(new Error('timeout'));
    expect(engine.state.counts).toMatchObject({ acquireTimeoutCount: 2, canceledAcquireCount: 2 });
  });

  it('never exceeds the timeout of the acquire', () => {
    const { kind, engine } = makeEngine(limits);
    const [acquirer] = acquirers(engine, 1, 300);
    failAll(kind);
    vi.advanceTimersByTime(300);
    expect(acquirer?.error).toEqual(new Error('timeout'));
  });

  it('rejects at once on another error; only an answer from the server ends the outage', () => {
    const { kind, engine } = makeEngine(limits);
    const [a, b] = acquirers(engine, 3);
    failAll(kind);
    vi.advanceTimersByTime(100);
    kind.constructions[0]?.fail(new Error('hook'));
    expect(a?.error).toEqual(new Error('hook'));
    expect(engine.state.unreachable).toBe(true);
    vi.advanceTimersByTime(200);
    kind.constructions[0]?.fail(new Error('wrong password'), true);
    expect(b?.error).toEqual(new Error('wrong password'));
    expect(engine.state.unreachable).toBe(false);
    expect(kind.constructions).toHaveLength(1);
  });

  it('tries another construction while one hangs', () => {
    const { kind, engine } = makeEngine(limits);
    acquirers(engine, 3);
    failAll(kind);
    vi.advanceTimersByTime(100);
    expect(kind.constructions).toHaveLength(1);
    vi.advanceTimersByTime(200);
    expect(kind.constructions).toHaveLength(2);
  });

  it('constructs nothing for cancelled acquires, and leaves no timer after end()', () => {
    const { kind, engine } = makeEngine(limits);
    const [acquirer] = acquirers(engine, 1);
    failAll(kind);
    acquirer?.cancel(new Error('aborted'));
    vi.advanceTimersByTime(60_000);
    expect(kind.constructions).toHaveLength(0);
    const [last] = acquirers(engine, 1);
    engine.end();
    failAll(kind);
    expect(last?.outcome).toBeUndefined();
    engine.rejectWaiters(() => new Error('ended'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each<
    [string, typeof limits, (engine: ReturnType<typeof makeEngine>['engine'], waiter?: Acquirer) => void]
  >([
    ['is rejected', limits, (engine) => engine.rejectWaiters(() => new Error('ended'))],
    ['gives up', limits, (_engine, waiter) => waiter?.cancel(new Error('aborted'))],
    ['reaches retryMs', { ...limits, retryMs: 50 }, () => vi.advanceTimersByTime(50)],
  ])('reports an empty queue of an ending engine when the last waiter %s in a pause', (_how, its, leave) => {
    const { kind, engine } = makeEngine(its);
    const [waiter] = acquirers(engine, 1);
    failAll(kind);
    engine.end();
    const left: number[] = [];
    kind.onProgress = () => void left.push(engine.state.total + engine.state.pending);
    leave(engine, waiter);
    expect([waiter?.outcome === undefined, left.at(-1)]).toEqual([false, 0]);
  });

  it('pauses for random times below a bound that doubles up to 5 s, however many acquires wait', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 0.999, noNaN: true }), { minLength: 10, maxLength: 15 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        (randoms, count, maxConnecting, spares) => {
          vi.clearAllTimers();
          let drawn = 0;
          vi.spyOn(Math, 'random').mockImplementation(() => randoms[drawn++ % randoms.length] ?? 0);
          const { kind, engine } = makeEngine({ max: 10, maxConnecting, retryMs: 1_000_000 });
          const starts: number[] = [];
          acquirers(engine, count);
          failAll(kind);
          const fillsUp = spares ? new Upkeep(engine, UPKEEP) : undefined;
          const create = vi.spyOn(kind, 'create');
          const began = performance.now();
          for (let tries = 0; starts.length < randoms.length && tries < 1_000; tries += 1) {
            vi.advanceTimersToNextTimer();
            fillsUp?.resumed();
            expect(create.mock.calls.length, 'one at a time').toBeLessThanOrEqual(1);
            if (create.mock.calls.length === 1) starts.push(performance.now());
            create.mockClear();
            failAll(kind);
          }
          const pauses = starts.map((at, index) => at - (starts[index - 1] ?? began));
          for (const [at, pause] of pauses.entries()) {
            const bound = Math.min(100 * 2 ** at, 5_000);
            expect(Math.abs(pause - (randoms[at] ?? 0) * bound)).toBeLessThanOrEqual(1);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

const UPKEEP = { min: 3, idleTimeoutMs: 0, lifetimeMs: 0, healthCheckPeriodMs: 0 };

describe('an outage without retryMs', () => {
  it('rejects each acquire with the error of its construction, at once', () => {
    const { kind, engine } = makeEngine({ max: 1, maxConnecting: 1 });
    const [a, b] = acquirers(engine, 2);
    failAll(kind);
    expect(a?.error).toBe(unreachable);
    failAll(kind);
    expect(b?.error).toBe(unreachable);
    expect(engine.state.unreachable).toBe(true);
  });

  it('pauses between spare constructions', () => {
    const { kind, engine } = makeEngine({ max: 3, maxConnecting: 3 });
    const upkeep = new Upkeep(engine, UPKEEP);
    upkeep.start();
    expect(kind.constructions).toHaveLength(3);
    failAll(kind);
    upkeep.resumed();
    expect(kind.constructions).toHaveLength(0);
    vi.advanceTimersByTime(100);
    upkeep.resumed();
    expect([kind.resumedCount, kind.constructions.length]).toEqual([1, 1]);
    kind.constructions[0]?.succeed();
    upkeep.constructed();
    expect(kind.constructions).toHaveLength(2);
    upkeep.stop();
  });
});

describe('maxPending', () => {
  it('refuses one waiting acquire too many, but never one that an idle resource can serve', () => {
    const { kind, engine } = makeEngine({ max: 1, maxConnecting: 1, maxPending: 1 });
    const [a, b, c] = acquirers(engine, 3);
    expect([a?.outcome, b?.error, c?.error]).toEqual([undefined, new Error('busy'), new Error('busy')]);
    kind.constructions[0]?.succeed();
    const [d, e] = acquirers(engine, 2);
    expect([d?.outcome, e?.error]).toEqual([undefined, new Error('busy')]);
    if (a !== undefined) engine.release(a.slot, performance.now());
    if (d !== undefined) engine.release(d.slot, performance.now());
    // It has to be pinged first.
    vi.advanceTimersByTime(2_000);
    kind.instantPings = false;
    const [f] = acquirers(engine, 1);
    kind.resources[0]?.answerPing?.();
    expect(f?.slot.resource.id).toBe(1);
    expect(engine.state.counts.rejectedAcquireCount).toBe(3);
  });
});

describe('resize', () => {
  it('to a larger size serves waiting acquires', () => {
    const { kind, engine } = makeEngine({ max: 1, maxConnecting: 10 });
    acquirers(engine, 3);
    expect(kind.constructions).toHaveLength(1);
    engine.resize(3);
    expect(kind.constructions).toHaveLength(3);
    expect(engine.state.max).toBe(3);
  });

  it('to a smaller size destroys surplus idle resources, and the rest when they are released', () => {
    const { kind, engine } = makeEngine({ max: 3, maxConnecting: 3 });
    const [a, b, c] = acquirers(engine, 3);
    for (const construction of [...kind.constructions]) construction.succeed();
    for (const one of [a, b]) if (one !== undefined) engine.release(one.slot, performance.now());
    engine.resize(1);
    expect([engine.state.total, engine.state.idle]).toEqual([1, 0]);
    engine.resize(2);
    const [d] = acquirers(engine, 1);
    kind.constructions[0]?.succeed();
    engine.resize(1);
    const [e] = acquirers(engine, 1);
    if (c !== undefined) engine.release(c.slot, performance.now());
    expect([engine.state.total, e?.outcome]).toEqual([1, undefined]);
    if (d !== undefined) engine.release(d.slot, performance.now());
    expect(e?.slot).toBe(d?.slot);
    expect(kind.resources.map(({ destroyedFor }) => destroyedFor)).toEqual([
      'resize',
      'resize',
      'resize',
      undefined,
    ]);
  });
});
