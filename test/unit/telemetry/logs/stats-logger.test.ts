import { spawnSync } from 'node:child_process';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../../../src/errors.js';
import type { PoolStat } from '../../../../src/pool/stat.js';
import {
  DEFAULT_POOL_STATS_INTERVAL_MS,
  startPoolStatsLogger,
} from '../../../../src/telemetry/logs/stats-logger.js';
import { cleanUp, keptLogs, tracerSdk, useContextManager } from '../../../support/telemetry.js';

const STAT: PoolStat = {
  totalConns: 1,
  acquiredConns: 2,
  idleConns: 3,
  constructingConns: 4,
  maxConns: 5,
  acquireCount: 6,
  acquireDurationMs: 7,
  canceledAcquireCount: 8,
  emptyAcquireCount: 9,
  emptyAcquireWaitTimeMs: 10,
  newConnsCount: 11,
  maxLifetimeDestroyCount: 12,
  maxIdleDestroyCount: 13,
};

function pool() {
  const end = new AbortController();
  const logs = keptLogs();
  return { ...logs, end, source: { stat: () => STAT, logger: logs.logger, endSignal: end.signal } };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  cleanUp();
});

describe('startPoolStatsLogger', () => {
  it('writes all statistics in snake_case at level debug, first after one interval', () => {
    const { source, entries } = pool();
    startPoolStatsLogger(source, { intervalMs: 1000 });
    vi.advanceTimersByTime(999);
    expect(entries).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(entries).toMatchObject([{ level: 'debug', message: 'postgres pool stats' }]);
    expect(entries[0]?.fields).toEqual({
      total_conns: 1,
      acquired_conns: 2,
      idle_conns: 3,
      constructing_conns: 4,
      max_conns: 5,
      acquire_count: 6,
      acquire_duration_ms: 7,
      canceled_acquire_count: 8,
      empty_acquire_count: 9,
      empty_acquire_wait_time_ms: 10,
      new_conns_count: 11,
      max_lifetime_destroy_count: 12,
      max_idle_destroy_count: 13,
    });
    vi.advanceTimersByTime(2000);
    expect(entries).toHaveLength(3);
  });

  it.each([undefined, 0])('uses 60 s for intervalMs %s', (intervalMs) => {
    const { source, entries } = pool();
    startPoolStatsLogger(source, { intervalMs });
    vi.advanceTimersByTime(DEFAULT_POOL_STATS_INTERVAL_MS - 1);
    expect(entries).toHaveLength(0);
    vi.advanceTimersByTime(1);
    expect(entries).toHaveLength(1);
    expect(DEFAULT_POOL_STATS_INTERVAL_MS).toBe(60_000);
  });

  it.each([-1, Number.NaN, Infinity, 2 ** 31, '1000' as unknown as number])(
    'refuses intervalMs %s',
    (intervalMs) => {
      const { source } = pool();
      expect(() => startPoolStatsLogger(source, { intervalMs })).toThrow(ConfigError);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it('writes to the logger from the options, or to the pool’s if it is null', () => {
    const { source, entries } = pool();
    const other = keptLogs();
    startPoolStatsLogger(source, { intervalMs: 1000, logger: other.logger });
    vi.advanceTimersByTime(1000);
    expect([entries.length, other.entries.length]).toEqual([0, 1]);
    startPoolStatsLogger(source, { intervalMs: 1000, logger: null });
    vi.advanceTimersByTime(1000);
    expect([entries.length, other.entries.length]).toEqual([1, 2]);
  });

  it.each<[string, (stop: { end: AbortController; signal: AbortController; logger: Disposable }) => void]>([
    ['the signal', ({ signal }) => signal.abort()],
    ['the end of the pool', ({ end }) => end.abort()],
    ['dispose, also twice', ({ logger }) => [logger, logger].forEach((each) => each[Symbol.dispose]())],
  ])('stops on %s', (_title, stop) => {
    const { source, entries, end } = pool();
    const signal = new AbortController();
    const logger = startPoolStatsLogger(source, { intervalMs: 1000, signal: signal.signal });
    vi.advanceTimersByTime(1000);
    stop({ end, signal, logger });
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5000);
    expect(entries).toHaveLength(1);
  });

  it('does not start for a pool that has ended or a signal that is aborted', () => {
    const { source, end } = pool();
    startPoolStatsLogger(source, { signal: AbortSignal.abort() });
    end.abort();
    startPoolStatsLogger(source);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([null, undefined])('does nothing for %s', (none) => {
    startPoolStatsLogger(none);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('continues after the logger or the pool throws', () => {
    const { source } = pool();
    let calls = 0;
    const debug = () => {
      calls++;
      throw new Error('broken');
    };
    startPoolStatsLogger(source, { intervalMs: 1000, logger: { ...source.logger, debug } });
    startPoolStatsLogger({ ...source, stat: debug }, { intervalMs: 1000 });
    vi.advanceTimersByTime(2000);
    expect(calls).toBe(4);
  });

  it('writes records without the trace in which it was started', () => {
    useContextManager();
    const { source, entries } = pool();
    const request = tracerSdk().tracerProvider.getTracer('app').startSpan('request');
    vi.useRealTimers();
    let started: Disposable | undefined;
    const written = new Promise<void>((resolve) => {
      const debug = (fields: object, message: string) => {
        source.logger.debug(fields, message);
        resolve();
      };
      context.with(trace.setSpan(ROOT_CONTEXT, request), () => {
        started = startPoolStatsLogger(source, { intervalMs: 5, logger: { ...source.logger, debug } });
      });
    });
    // The stats timer alone would not keep the process running here.
    const alive = setTimeout(() => undefined, 10_000);
    return written.then(() => {
      clearTimeout(alive);
      started?.[Symbol.dispose]();
      expect(entries[0]?.spanId).toBeUndefined();
    });
  });

  it('does not keep the process alive', () => {
    const script = `
      import { startPoolStatsLogger } from './src/telemetry/logs/stats-logger.ts';
      const quiet = { debug() {}, info() {}, warn() {} };
      startPoolStatsLogger({ stat: () => ({}), logger: quiet, endSignal: new AbortController().signal });
    `;
    const cwd = new URL('../../../../', import.meta.url);
    const { status, signal } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd, timeout: 20_000 },
    );
    expect([status, signal]).toEqual([0, null]);
  });
});
