import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EngineLimits } from '../../../src/engine/kind.js';
import { Acquirer, makeEngine } from '../../support/fake-kind.js';

const LIMIT_MS = 1_000;

/** Records the time limits that are started. */
function recordedLimits() {
  const started: { readonly ms: number; readonly limitMs: number | undefined; keepsAlive: boolean }[] = [];
  const startDeadline: EngineLimits['startDeadline'] = (
    ms,
    expired,
    { keepsAlive = false, limitMs } = {},
  ) => {
    const one = { ms: Math.round(ms), limitMs, keepsAlive };
    started.push(one);
    const timer = setTimeout(() => expired(performance.now()), ms);
    return {
      clear: () => clearTimeout(timer),
      keepAlive: (keeps) => (one.keepsAlive = keeps),
    };
  };
  return { started, startDeadline };
}

/** An engine whose only resource is held. */
function exhausted() {
  const { started, startDeadline } = recordedLimits();
  const { kind, engine } = makeEngine({ max: 1, acquireTimeoutMs: LIMIT_MS, startDeadline });
  const holder = new Acquirer(engine, 'holder');
  kind.constructions[0]?.succeed();
  const wait = (name: string, timeoutMs = LIMIT_MS): Acquirer => new Acquirer(engine, name, timeoutMs);
  return { engine, started, wait, release: () => engine.release(holder.slot, performance.now()) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('acquires with the default limit share one timer, and each is rejected at its own time', () => {
  const { started, wait } = exhausted();
  const early = Array.from({ length: 100 }, (_, i) => wait(`early ${i}`));
  vi.advanceTimersByTime(400);
  const late = Array.from({ length: 100 }, (_, i) => wait(`late ${i}`));
  expect(started).toHaveLength(1);
  vi.advanceTimersByTime(600);
  expect(early.every(({ error }) => error !== undefined)).toBe(true);
  expect(late.some(({ error }) => error !== undefined)).toBe(false);
  // The rest of a limit differs from a whole one.
  expect(started.slice(1)).toEqual([{ ms: 400, limitMs: LIMIT_MS, keepsAlive: true }]);
  vi.advanceTimersByTime(400);
  expect(late.every(({ error }) => error !== undefined)).toBe(true);
  expect(started).toHaveLength(2);
});

test('an acquire with its own limit has its own timer and delays none of the others', () => {
  const { started, wait } = exhausted();
  const [shorter, longer] = [wait('shorter', 300), wait('longer', 5_000)];
  const usual = wait('usual');
  const last = wait('last', 5_000);
  expect(started.map(({ ms }) => ms)).toEqual([300, 5_000, LIMIT_MS, 5_000]);
  vi.advanceTimersByTime(300);
  expect([shorter, longer, usual, last].map(({ error }) => error !== undefined)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  vi.advanceTimersByTime(700);
  expect([longer, usual, last].map(({ error }) => error !== undefined)).toEqual([false, true, false]);
});

test('the shared timer ignores acquires that have left the queue, at any position', () => {
  const { started, wait } = exhausted();
  const [first, own, second] = [wait('first'), wait('own', 5_000), wait('second')];
  vi.advanceTimersByTime(500);
  const third = wait('third');
  first.cancel(new Error('gave up'));
  second.cancel(new Error('gave up'));
  vi.advanceTimersByTime(500);
  expect([own.error, third.error]).toEqual([undefined, undefined]);
  vi.advanceTimersByTime(500);
  expect(third.error).toMatchObject({ message: 'timeout' });
  expect(started.map(({ ms }) => ms)).toEqual([LIMIT_MS, 5_000, 500]);
});

test('the timer of an empty queue does not keep the process alive, serves the next waiter, and ends with the engine', () => {
  const { engine, started, wait, release } = exhausted();
  const served = wait('served');
  release();
  expect(started).toEqual([expect.objectContaining({ keepsAlive: false })]);
  vi.advanceTimersByTime(900);
  const next = wait('next');
  expect(started).toEqual([expect.objectContaining({ keepsAlive: true })]);
  vi.advanceTimersByTime(900);
  expect(next.error).toBeUndefined();
  vi.advanceTimersByTime(100);
  expect(next.error).toMatchObject({ message: 'timeout' });
  const last = wait('last');
  engine.end();
  expect(vi.getTimerCount()).toBe(1);
  engine.release(served.slot, performance.now());
  expect(last.slot).toBe(served.slot);
  expect(vi.getTimerCount()).toBe(0);
});
