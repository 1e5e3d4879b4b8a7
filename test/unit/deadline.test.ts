import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Deadline, onAbort, withTimeout } from '../../src/deadline.js';
import { rejection, until } from '../support/until.js';

/** Blocks the event loop for this many milliseconds. */
function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** The order in which a deadline, and events that became ready during a stall before it, were handled. */
async function noticed(limitMs: number, stallMs: number, after: (tell: (what: string) => void) => void) {
  const told: string[] = [];
  const deadline = new Deadline(limitMs, () => told.push('expired'), true);
  after((what) => {
    told.push(what);
    deadline.clear();
  });
  stall(stallMs);
  await until('something is noticed', () => told.length > 0);
  await sleep(limitMs * 2);
  return told;
}

describe('a deadline', () => {
  it('expires when nothing has arrived', async () => {
    expect(await noticed(20, 0, () => undefined)).toEqual(['expired']);
  });

  it('does not expire once it is cleared', async () => {
    expect(await noticed(20, 0, (tell) => setTimeout(tell, 1, 'arrived'))).toEqual(['arrived']);
  });

  it.each([1, 2])('lets data that arrived during a stall be handled first, %i turns later', async (turns) => {
    const later = (left: number, tell: (what: string) => void): void => {
      if (left === 0) tell('arrived');
      else setImmediate(() => later(left - 1, tell));
    };
    // This timer fires before the deadline's; the poll phase, which it stands for, would come after both.
    expect(await noticed(50, 60, (tell) => setTimeout(later, 50, turns - 1, tell))).toEqual(['arrived']);
  });

  it('that fires late leaves time for an answer to a request that the stall delayed', async () => {
    const ask = (tell: (what: string) => void): void =>
      void setTimeout(() => setTimeout(tell, 60, 'arrived'), 1);
    expect(await noticed(200, 500, ask)).toEqual(['arrived']);
  });

  it('that fires late still expires when nothing arrives, even if it fires late again', async () => {
    let expired = false;
    new Deadline(100, () => (expired = true), true);
    stall(200);
    await sleep(20);
    expect(expired).toBe(false);
    stall(200);
    await until('it expires', () => expired);
  });

  it('that is the rest of a limit is extended by the whole limit after a stall', async () => {
    let expiredAt = 0;
    const deadline = new Deadline(20, () => (expiredAt = performance.now()), true, 400);
    stall(100);
    const stalledAt = performance.now();
    await until('it expires', () => expiredAt > 0);
    deadline.clear();
    expect(expiredAt - stalledAt).toBeGreaterThan(390);
  });

  it('reports when its timer fired, and can keep the process alive', async () => {
    const startedAt = performance.now();
    let upTo: number | undefined;
    const deadline = new Deadline(20, (firedAt) => (upTo = firedAt));
    const timers = (): number => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
    const before = timers();
    deadline.keepAlive(true);
    expect(timers()).toBe(before + 1);
    deadline.keepAlive(false);
    expect(timers()).toBe(before);
    deadline.keepAlive(true);
    await until('it expires', () => upTo !== undefined);
    expect(upTo).toBeGreaterThan(startedAt);
    expect(upTo).toBeLessThanOrEqual(performance.now());
  });
});

describe('withTimeout', () => {
  it('aborts the signal of work that takes too long', async () => {
    const work = (signal: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    expect(await rejection(withTimeout(20, undefined, work))).toMatchObject({
      code: 'ETIMEDOUT',
      message: 'no answer within 20 ms',
    });
  });

  it('passes on the reason of its parent signal', async () => {
    const reason = new Error('stopped');
    const work = (signal: AbortSignal): Promise<never> => Promise.reject(signal.reason as Error);
    expect(await rejection(withTimeout(20, AbortSignal.abort(reason), work))).toBe(reason);
  });
});

describe('several waits for one signal', () => {
  it('share one listener, and are all called', () => {
    const controller = new AbortController();
    const called: number[] = [];
    const forget = Array.from({ length: 20 }, (_, at) =>
      onAbort(controller.signal, () => void called.push(at)),
    );
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    forget[3]?.();
    controller.abort();
    expect(called).toEqual([...Array(20).keys()].filter((at) => at !== 3));
  });

  it('leave no listener behind, and can begin again', () => {
    const { signal } = new AbortController();
    for (let round = 0; round < 2; round++) {
      const forget = [onAbort(signal, () => undefined), onAbort(signal, () => undefined)];
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      for (const one of forget) one();
      for (const one of forget) one();
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    }
  });
});
