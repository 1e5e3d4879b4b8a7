import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  AcquireTimeoutError,
  AuthError,
  ConnectTimeoutError,
  PoolEndedError,
} from '../../../../src/errors.js';
import {
  cleanUp,
  idleGauges,
  keptLogs,
  observed,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

const POOL = 'db.example:5432/shop';
const rejected = () => Object.assign(new Error('x'), { code: '28000', severity: 'FATAL' });
const withCode = (code: string) => Object.assign(new Error('x'), { code });

beforeEach(useContextManager);
afterEach(() => {
  vi.useRealTimers();
  cleanUp();
});

describe('PoolLogs', () => {
  it('has times in whole milliseconds that have passed, and age 0 only for a login that failed', () => {
    const { logger, entries } = keptLogs();
    const { observer } = observed({}, { logger });
    observer.connecting(undefined).connected(12.98);
    observer.closed('lifetime', 0.2);
    observer.connecting(undefined).failed(1.5, new Error('x'), 'auth', 'auth');
    const times = entries.map(({ fields }) => fields['duration_ms'] ?? fields['age_ms']);
    expect(times).toEqual([12, 1, 0, 1]);
  });

  it('writes a record for each connection opened and closed', () => {
    const { logger, entries } = keptLogs();
    const { observer } = observed({}, { logger });
    observer.connecting(undefined).connected(12.34567);
    observer.closed('lifetime', 5000);
    expect(entries.map(({ level, message, fields }) => ({ level, message, fields }))).toEqual([
      { level: 'debug', message: 'postgres connection opened', fields: { pool: POOL, duration_ms: 12 } },
      {
        level: 'debug',
        message: 'postgres connection closed',
        fields: { pool: POOL, reason: 'lifetime', age_ms: 5000 },
      },
    ]);
  });

  it('warns about a failed attempt with its phase and the number of consecutive failures', () => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    observer.connecting(undefined).failed(3, withCode('ENOTFOUND'), 'dns', undefined);
    observer.connecting(undefined).failed(3, withCode('ECONNREFUSED'), 'tcp', undefined);
    observer.connecting(undefined).connected(1);
    observer.connecting(undefined).failed(3, rejected(), 'auth', 'auth');
    expect(named('postgres connect failed').map((entry) => entry.fields)).toEqual([
      { pool: POOL, error_type: 'ENOTFOUND', phase: 'dns', attempt: 1, duration_ms: 3, suppressed: 0 },
      { pool: POOL, error_type: 'ECONNREFUSED', phase: 'tcp', attempt: 2, duration_ms: 3, suppressed: 0 },
      { pool: POOL, error_type: '28000', phase: 'auth', attempt: 1, duration_ms: 3, suppressed: 0 },
    ]);
    expect(named('postgres connection closed')).toMatchObject([
      { fields: { reason: 'auth', error_type: '28000' } },
    ]);
  });

  it('warns about a failed token refresh with its provider', async () => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    const attempt = observer.connecting(undefined);
    await expect(
      attempt.token({ provider: 'awsRdsIam' }, () =>
        Promise.reject(new AuthError('x', { cause: withCode('ECONNREFUSED') })),
      ),
    ).rejects.toThrow(AuthError);
    expect(named('postgres token refresh failed')).toMatchObject([
      {
        level: 'warn',
        fields: { pool: POOL, provider: 'awsRdsIam', error_type: 'ECONNREFUSED', suppressed: 0 },
      },
    ]);
  });

  it('warns about a token refresh that hangs until the deadline', () => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    const attempt = observer.connecting(undefined);
    void attempt.token({ provider: 'awsRdsIam' }, () => new Promise<string>(() => undefined));
    attempt.failed(15, new ConnectTimeoutError('x'), 'token', undefined);
    expect(named('postgres token refresh failed')[0]?.fields['error_type']).toBe('connect_timeout');
  });

  it('does not warn about an attempt that is cut off by the end of the pool', async () => {
    const { logger, entries } = keptLogs();
    const { observer } = observed({}, { logger });
    const attempt = observer.connecting(undefined);
    const token = attempt.token({ provider: 'awsRdsIam' }, () => Promise.reject(new PoolEndedError()));
    await expect(token).rejects.toThrow(PoolEndedError);
    attempt.failed(1, new PoolEndedError(), 'token', undefined);
    expect(entries.filter((entry) => entry.level === 'warn')).toEqual([]);
  });

  it('warns about an acquire timeout with the state of the pool, and about no other failed acquire', () => {
    const { logger, entries } = keptLogs();
    const { observer, watch } = observed({}, { logger });
    watch(idleGauges({ used: 7, idle: 1, connecting: 2, pending: 4 }));
    observer.acquireStarted().failed(10, withCode('ECONNREFUSED'));
    observer.acquireStarted().failed(30_000, new AcquireTimeoutError('x'));
    expect(entries).toMatchObject([
      {
        level: 'warn',
        message: 'postgres acquire timed out',
        fields: {
          pool: POOL,
          error_type: 'acquire_timeout',
          waited_ms: 30_000,
          total: 10,
          used: 7,
          idle: 1,
          connecting: 2,
          pending: 4,
          limit: 10,
          suppressed: 0,
        },
      },
    ]);
  });

  it('reports leaks, a forced end, and the end of the pool with totals', () => {
    const { logger, entries } = keptLogs();
    const { observer, watch } = observed({}, { logger });
    watch(idleGauges({ acquireTimeouts: 1, canceledAcquires: 2, emptyAcquires: 3, emptyAcquireWaitMs: 4 }));
    observer.connecting(undefined).connected(1);
    observer.leakSuspected(60_000, 'Error\n    at handler');
    observer.leakReturned(61_000);
    observer.endForced([9000, 10]);
    observer.closed('pool_end', 1);
    observer.ended();
    observer.ended();
    expect(entries.slice(1).map(({ level, message, fields }) => [level, message, fields])).toEqual([
      [
        'warn',
        'postgres connection leak suspected',
        { pool: POOL, held_ms: 60_000, stack: 'Error\n    at handler', suppressed: 0 },
      ],
      ['debug', 'postgres connection leak returned', { pool: POOL, held_ms: 61_000 }],
      [
        'warn',
        'postgres connection pool end forced',
        { pool: POOL, connections: 2, held_ms: [9000, 10], suppressed: 0 },
      ],
      ['debug', 'postgres connection closed', { pool: POOL, reason: 'pool_end', age_ms: 1 }],
      [
        'info',
        'postgres connection pool ended',
        {
          pool: POOL,
          opened: 1,
          closed: 1,
          acquire_timeouts: 1,
          canceled_acquires: 2,
          empty_acquires: 3,
          empty_acquire_wait_time_ms: 4,
        },
      ],
    ]);
  });

  it('warns once a minute per pool, message and error type, with the number of suppressed warnings', () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    const { logger, named } = keptLogs();
    const [one, two] = [observed({}, { logger }), observed({}, { logger })];
    const fail = (pool: typeof one, code: string) =>
      pool.observer.connecting(undefined).failed(1, withCode(code), 'tcp', undefined);
    for (let n = 0; n < 5; n++) fail(one, 'ECONNREFUSED');
    fail(one, 'ETIMEDOUT');
    fail(two, 'ECONNREFUSED');
    vi.advanceTimersByTime(59_000);
    fail(one, 'ECONNREFUSED');
    const told = () =>
      named('postgres connect failed').map(({ fields }) => [
        fields['pool'],
        fields['error_type'],
        fields['suppressed'],
      ]);
    const first = [
      [POOL, 'ECONNREFUSED', 0],
      [POOL, 'ETIMEDOUT', 0],
      [`${POOL}#2`, 'ECONNREFUSED', 0],
    ];
    expect(told()).toEqual(first);
    vi.advanceTimersByTime(1000);
    fail(one, 'ECONNREFUSED');
    expect(told()).toEqual([...first, [POOL, 'ECONNREFUSED', 5]]);
  });

  it('does not limit debug records', () => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    for (let n = 0; n < 50; n++) observer.closed('network', 1);
    expect(named('postgres connection closed')).toHaveLength(50);
    expect(named('postgres connection lost')).toHaveLength(1);
  });

  it('writes a record inside the span of the operation it reports', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger, tracerProvider });
    const acquire = observer.acquireStarted();
    acquire.waiting('new_connection');
    const attempt = observer.connecting(acquire);
    await expect(
      attempt.token({ provider: 'awsRdsIam' }, () => Promise.reject(new TypeError('x'))),
    ).rejects.toThrow();
    attempt.failed(1, new TypeError('x'), 'token', undefined);
    acquire.failed(2, new AcquireTimeoutError('x'));
    const spanId = (name: string) => span(name).spanContext().spanId;
    expect(named('postgres token refresh failed')[0]?.spanId).toBe(spanId('pgauge.auth.token.refresh'));
    expect(named('postgres connect failed')[0]?.spanId).toBe(spanId('CONNECT shop'));
    expect(named('postgres acquire timed out')[0]?.spanId).toBe(spanId('pgauge.pool.acquire'));
  });

  it('writes the record of an acquire without a span inside the caller’s span', () => {
    const { tracerProvider } = tracerSdk();
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    const request = tracerProvider.getTracer('app').startSpan('request');
    const acquire = context.with(trace.setSpan(ROOT_CONTEXT, request), () => observer.acquireStarted());
    acquire.failed(1, new AcquireTimeoutError('x'));
    expect(named('postgres acquire timed out')[0]?.spanId).toBe(request.spanContext().spanId);
  });
});
