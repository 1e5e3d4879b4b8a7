import { type Meter, metrics, trace, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Logger } from '../../../../src/hooks.js';
import type { GivenQuery } from '../../../../src/observer.js';
import { MAX_SUMMARIES } from '../../../../src/telemetry/queries/summaries.js';
import {
  cleanUp,
  idleGauges,
  keptLogs,
  measured,
  meterSdk,
  observed,
  SESSION,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

const CANCELED = 'pgauge.query.canceled';
const DURATION = 'db.client.operation.duration';
const select = (table: string): GivenQuery => ({
  text: `SELECT * FROM ${table}`,
  name: undefined,
  parameterized: false,
});

beforeEach(useContextManager);
afterEach(() => {
  cleanUp();
  vi.useRealTimers();
});

describe('whether the sessions of a pool are observed', () => {
  it.each([
    ['neither option', {}, false],
    ['queryTelemetry', { queryTelemetry: measured() }, true],
    [
      'queryTelemetry without any signal',
      { queryTelemetry: measured({ metrics: false, spans: 'never' }) },
      true,
    ],
    ['slowQueryMs', { slowQueryMs: 1 }, true],
    ['slowQueryMs 0', { slowQueryMs: 0 }, false],
  ])('with %s', (_which, options, are) => {
    expect(observed({}, options).observer.session !== undefined).toBe(are);
  });

  it('they report the address at which each was dialled', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer } = observed({}, { meterProvider, queryTelemetry: measured() });
    for (const host of ['one', 'two', 'two'])
      observer
        .session?.({ ...SESSION, host, port: 6432 })
        .started(select('t'))
        .completed(1);
    const seen = (await points(DURATION)).map(({ attributes, value }) => [
      attributes['server.address'],
      attributes['server.port'],
      (value as Histogram).count,
    ]);
    expect(seen).toEqual([
      ['one', 6432, 1],
      ['two', 6432, 2],
    ]);
  });

  it("they do not read the caller's context for metrics alone", () => {
    const active = vi.spyOn(AsyncLocalStorageContextManager.prototype, 'active');
    const run = (options: Parameters<typeof observed>[1]) => {
      const session = observed({}, options).observer.session?.(SESSION);
      active.mockClear();
      session?.started(select('t')).completed(1);
      return active.mock.calls.length;
    };
    expect(run({ queryTelemetry: measured({ spans: 'never' }) })).toBe(0);
    expect(run({ queryTelemetry: measured() })).toBeGreaterThan(0);
    expect(run({ slowQueryMs: 1 })).toBeGreaterThan(0);
    active.mockRestore();
  });

  it('they follow a global provider that is registered later', async () => {
    const { meterProvider, value } = meterSdk();
    const { tracerProvider, spans } = tracerSdk();
    const { observer } = observed({}, { queryTelemetry: measured() });
    const session = observer.session?.(SESSION);
    session?.started(select('t')).completed(1);
    metrics.setGlobalMeterProvider(meterProvider);
    trace.setGlobalTracerProvider(tracerProvider);
    session?.started(select('t')).completed(1);
    expect(((await value(DURATION)) as Histogram).count).toBe(1);
    expect(spans().map(({ name }) => name)).toEqual(['SELECT t']);
  });

  it('they write the comment with the span of the query, not of its caller', () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed(
      { poolName: 'orders' },
      { tracerProvider, application: 'shop', queryTelemetry: measured({ comment: 'trace' }) },
    );
    const comment = tracerProvider.getTracer('app').startActiveSpan('request', (request) => {
      const query = observer.session?.(SESSION).started(select('t'));
      query?.completed(1);
      request.end();
      return query?.comment;
    });
    const { traceId, spanId } = span('SELECT t').spanContext();
    expect(comment).toBe(
      ` /*application='shop',db_driver='pgauge',pool='orders',traceparent='00-${traceId}-${spanId}-01'*/`,
    );
  });
});

describe('stopped queries', () => {
  it('are counted by reason, both 0 at the start, with any options', async () => {
    const { meterProvider, points } = meterSdk();
    const { observer, watch } = observed({}, { meterProvider });
    watch(idleGauges());
    const counted = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries(
        (await points(CANCELED)).map(({ attributes, value }) => [
          String(attributes['pgauge.query.cancel_reason']),
          value,
        ]),
      );
    expect(await counted()).toEqual({ timeout: 0, aborted: 0 });
    observer.queryCanceled('timeout', select('t'), SESSION, 5);
    observer.queryCanceled('timeout', select('t'), SESSION, 5);
    observer.queryCanceled('aborted', select('t'), SESSION, 5);
    expect(await counted()).toEqual({ timeout: 2, aborted: 1 });
    observer.ended();
    observer.queryCanceled('aborted', select('t'), SESSION, 5);
    expect(await counted()).toEqual({ timeout: 2, aborted: 1 });
  });

  it('are counted from the start even if the global provider is registered later', async () => {
    const { meterProvider, value } = meterSdk();
    const { observer, watch } = observed();
    watch(idleGauges());
    observer.queryCanceled('timeout', select('t'), SESSION, 5);
    metrics.setGlobalMeterProvider(meterProvider);
    observer.queryCanceled('timeout', select('t'), SESSION, 5);
    expect(await value(CANCELED, { 'pgauge.query.cancel_reason': 'timeout' })).toBe(2);
    expect(await value(CANCELED, { 'pgauge.query.cancel_reason': 'aborted' })).toBe(0);
  });

  it('are logged once a minute per summary, with the number of suppressed records', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { logger, entries } = keptLogs();
    const { observer } = observed({}, { logger });
    observer.queryCanceled('timeout', select('t'), SESSION, 5.9);
    observer.queryCanceled('aborted', select('t'), SESSION, 6);
    observer.queryCanceled('aborted', select('u'), SESSION, 7);
    vi.advanceTimersByTime(60_000);
    observer.queryCanceled(
      'aborted',
      { ...select('t'), text: "SELECT 'secret' FROM t" },
      { ...SESSION, pid: null },
      8,
    );
    const record = { level: 'warn', message: 'postgres query canceled', spanId: undefined };
    const pool = 'db.example:5432/shop';
    expect(entries).toStrictEqual([
      {
        ...record,
        fields: {
          pool,
          error_type: 'query_timeout',
          duration_ms: 5,
          summary: 'SELECT t',
          pid: 7,
          suppressed: 0,
        },
      },
      {
        ...record,
        fields: {
          pool,
          error_type: 'query_aborted',
          duration_ms: 7,
          summary: 'SELECT u',
          pid: 7,
          suppressed: 0,
        },
      },
      {
        ...record,
        fields: { pool, error_type: 'query_aborted', duration_ms: 8, summary: 'SELECT t', suppressed: 1 },
      },
    ]);
  });
});

it('slow queries are logged once a minute per summary', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { logger, entries } = keptLogs();
  const session = observed({}, { logger, slowQueryMs: 1 }).observer.session?.(SESSION);
  const run = (table: string) => {
    const query = session?.started(select(table));
    vi.advanceTimersByTime(1);
    query?.completed(1);
  };
  for (const table of ['t', 't', 'u', 't']) run(table);
  vi.advanceTimersByTime(60_000);
  run('t');
  const seen = entries.map(({ fields: { summary, suppressed } }) => [summary, suppressed]);
  expect(seen).toEqual([
    ['SELECT t', 0],
    ['SELECT u', 0],
    ['SELECT t', 2],
  ]);
});

it('a pool reports its first 500 summaries, and _OTHER for any further one, in every signal', async () => {
  const { meterProvider, points } = meterSdk();
  const { tracerProvider, spans } = tracerSdk();
  const { logger, entries } = keptLogs();
  const { observer } = observed({}, { meterProvider, tracerProvider, logger, queryTelemetry: measured() });
  const session = observer.session?.(SESSION);
  for (let n = 0; n < MAX_SUMMARIES + 20; n++) {
    session?.started(select(`t${n}`)).completed(1);
    observer.queryCanceled('timeout', select(`t${n}`), SESSION, 1);
  }
  const series = (await points(DURATION)).map(({ attributes }) => attributes['db.query.summary']);
  expect([series.length, series.at(-1)]).toEqual([501, '_OTHER']);
  expect(new Set(spans().map(({ name }) => name)).size).toBe(501);
  expect(entries.filter(({ message }) => message === 'postgres query canceled')).toHaveLength(501);
});

it('a failing summary function causes one warning with advice', () => {
  const { logger, named } = keptLogs();
  const queryTelemetry = measured({
    summary: () => {
      throw new Error('secret');
    },
  });
  const session = observed({}, { logger, queryTelemetry }).observer.session?.(SESSION);
  for (const table of ['t', 'u']) session?.started(select(table)).completed(1);
  const [record, ...others] = named('postgres query summary refused');
  expect(others).toEqual([]);
  expect(record).toMatchObject({
    level: 'warn',
    fields: { hint: expect.stringContaining('1 to 255') as unknown },
  });
  expect(JSON.stringify(record)).not.toContain('secret');
});

describe('no query fails because of an exception from', () => {
  const broken = (): never => {
    throw new Error('broken');
  };
  const hostile = (methods: object): unknown =>
    new Proxy(methods, { get: (target, key): unknown => Reflect.get(target, key) ?? broken });
  const run = (options: Parameters<typeof observed>[1]) => {
    const { observer, watch } = observed({}, { slowQueryMs: 1, ...options });
    watch(idleGauges());
    const session = observer.session?.(SESSION);
    vi.useFakeTimers({ toFake: ['performance'] });
    for (const end of ['completed', 'failed', 'canceled'] as const) {
      const query = session?.started(select('t'));
      vi.advanceTimersByTime(5);
      if (end === 'completed') query?.completed(1);
      else if (end === 'failed') query?.failed(new Error('x'));
      else query?.canceled('timeout', new Error('x'));
    }
    observer.queryCanceled('aborted', select('t'), SESSION, 1);
    observer.ended();
  };
  const span = hostile({});

  it.each<[string, Parameters<typeof observed>[1]]>([
    ['a meter', { meter: hostile({}) as Meter }],
    ['its instruments', { meter: hostile({ createHistogram: () => hostile({}) }) as Meter }],
    ['a tracer', { tracer: hostile({}) as Tracer }],
    ['its spans', { tracer: hostile({ startSpan: () => span }) as Tracer }],
    ['a logger', { logger: hostile({}) as Logger }],
  ])('%s', (_what, options) => {
    const queryTelemetry = measured({ rows: true, comment: 'trace' });
    expect(() => run({ ...options, queryTelemetry })).not.toThrow();
  });
});
