import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AcquireTimeoutError, PoolEndedError } from '../../../../src/errors.js';
import type { AcquireObserver } from '../../../../src/observer.js';
import { SATURATION_MS } from '../../../../src/telemetry/logs/saturation.js';
import {
  cleanUp,
  idleGauges,
  keptLogs,
  observed,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

const POOL = 'db.example:5432/shop';
/** A deadline expires two turns of the event loop late, each of which takes a millisecond with fake timers. */
const TURNS_MS = 2;

beforeEach(() => {
  useContextManager();
  vi.useFakeTimers();
});
afterEach(() => {
  cleanUp();
  vi.useRealTimers();
});

/** A pool with two connections, both used, and functions that add, serve and reject waiting requests. */
function fullPool(options: Parameters<typeof observed>[1] = {}) {
  const { logger, entries } = keptLogs();
  const { observer, watch } = observed({}, { logger, ...options });
  const waiters: { acquire: AcquireObserver; since: number }[] = [];
  const gauges = idleGauges({ used: 2, limit: 2 });
  Object.defineProperties(gauges, {
    pending: { get: () => waiters.length },
    longestWaitMs: { get: () => (waiters[0] ? performance.now() - waiters[0].since : 0) },
  });
  watch(gauges);
  const queue = () => {
    const acquire = observer.acquireStarted();
    waiters.push({ acquire, since: performance.now() });
    acquire.waiting('exhausted');
  };
  const serve = () => {
    const first = waiters.shift();
    first?.acquire.acquired(performance.now() - first.since);
  };
  const reject = (error: Error) => {
    for (const { acquire, since } of waiters.splice(0)) acquire.failed(performance.now() - since, error);
  };
  const told = () =>
    entries.map(({ message }) => message).filter((message) => /saturated|recovered/.test(message));
  return { observer, gauges, entries, queue, serve, reject, told };
}

describe('a saturated pool', () => {
  it('is reported with its state after a request has waited for a second', () => {
    const { queue, entries } = fullPool();
    queue();
    queue();
    vi.advanceTimersByTime(SATURATION_MS - 1);
    expect(entries).toEqual([]);
    vi.advanceTimersByTime(1 + TURNS_MS);
    expect(entries).toEqual([
      {
        level: 'warn',
        message: 'postgres pool saturated',
        spanId: undefined,
        fields: {
          pool: POOL,
          waited_ms: 1000 + TURNS_MS,
          total: 2,
          used: 2,
          idle: 0,
          connecting: 0,
          pending: 2,
          limit: 2,
          suppressed: 0,
        },
      },
    ]);
  });

  it('is reported once, and its recovery after no request has waited for a second', () => {
    const { queue, serve, entries, told } = fullPool();
    queue();
    vi.advanceTimersByTime(10_000);
    expect(told()).toEqual(['postgres pool saturated']);
    serve();
    vi.advanceTimersByTime(600);
    queue();
    vi.advanceTimersByTime(100);
    serve();
    vi.advanceTimersByTime(999);
    expect(told()).toHaveLength(1);
    vi.advanceTimersByTime(300);
    expect(told()).toEqual(['postgres pool saturated', 'postgres pool recovered']);
    expect(entries.at(-1)).toMatchObject({ level: 'info', fields: { pool: POOL, pending: 0, limit: 2 } });
    expect(entries.at(-1)?.fields['saturated_ms']).toBeGreaterThanOrEqual(11_700);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is reported again after a recovery', () => {
    const { queue, serve, told } = fullPool();
    for (let round = 0; round < 2; round += 1) {
      queue();
      vi.advanceTimersByTime(1_000 + TURNS_MS);
      serve();
      vi.advanceTimersByTime(70_000);
    }
    const round = ['postgres pool saturated', 'postgres pool recovered'];
    expect(told()).toEqual([...round, ...round]);
  });

  it.each([
    [
      'each request waits for less than a second',
      ({ queue, serve }: ReturnType<typeof fullPool>) => {
        for (let n = 0; n < 20; n += 1) {
          queue();
          vi.advanceTimersByTime(900);
          serve();
        }
      },
    ],
    [
      'a connection is being opened',
      ({ queue, gauges }: ReturnType<typeof fullPool>) => {
        Object.assign(gauges, { used: 1, connecting: 1 });
        queue();
        vi.advanceTimersByTime(10_000);
      },
    ],
  ])('is not reported if %s', (_when, run) => {
    const pool = fullPool();
    run(pool);
    expect(pool.told()).toEqual([]);
  });

  it('is reported if the new connection goes to another request', () => {
    const { observer, gauges, told } = fullPool();
    Object.assign(gauges, { used: 1, connecting: 1 });
    const acquire = observer.acquireStarted();
    Object.defineProperties(gauges, {
      pending: { value: 1 },
      longestWaitMs: { get: () => performance.now() - since },
    });
    const since = performance.now();
    acquire.waiting('new_connection');
    vi.advanceTimersByTime(1_500);
    expect(told()).toEqual([]);
    Object.assign(gauges, { used: 2, connecting: 0 });
    vi.advanceTimersByTime(500);
    expect(told()).toEqual(['postgres pool saturated']);
  });

  it('recovers after its requests time out', () => {
    const { queue, reject, told } = fullPool();
    queue();
    vi.advanceTimersByTime(2_000);
    reject(new AcquireTimeoutError('x'));
    vi.advanceTimersByTime(2_000);
    expect(told()).toEqual(['postgres pool saturated', 'postgres pool recovered']);
  });

  it('does not count as recovered after its end', () => {
    const { queue, reject, told } = fullPool();
    queue();
    vi.advanceTimersByTime(2_000);
    reject(new PoolEndedError());
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5_000);
    expect(told()).toEqual(['postgres pool saturated']);
  });

  it('is reported without the trace of a request', () => {
    const { tracerProvider } = tracerSdk();
    const { queue, entries } = fullPool({ tracerProvider });
    const request = tracerProvider.getTracer('app').startSpan('request');
    context.with(trace.setSpan(ROOT_CONTEXT, request), queue);
    vi.advanceTimersByTime(1_000 + TURNS_MS);
    expect(entries.map(({ spanId }) => spanId)).toEqual([undefined]);
  });
});

describe('the timer of SaturationWatch', () => {
  it('does not run while no request waits', () => {
    const { observer } = fullPool();
    observer.acquired(0);
    observer.acquireStarted().acquired(1);
    observer.released(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is shared by all waiting requests and stops after they are served', () => {
    const { queue, serve } = fullPool();
    for (let n = 0; n < 5; n += 1) queue();
    expect(vi.getTimerCount()).toBe(1);
    for (let n = 0; n < 5; n += 1) serve();
    vi.advanceTimersByTime(1_000 + TURNS_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});
