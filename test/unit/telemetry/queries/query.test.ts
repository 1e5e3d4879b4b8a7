import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QueryTimeoutError } from '../../../../src/errors.js';
import type { GivenQuery, QueryObserver } from '../../../../src/observer.js';
import {
  cleanUp,
  keptLogs,
  measured,
  meterSdk,
  observed,
  parentId,
  SESSION,
  spanId,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

const DURATION = 'db.client.operation.duration';
const ROWS = 'db.client.response.returned_rows';
const QUERY: GivenQuery = {
  text: 'SELECT * FROM orders where id = $1',
  name: undefined,
  parameterized: true,
};
const SUMMARY = 'SELECT orders';
const AT = {
  'db.system.name': 'postgresql',
  'db.namespace': 'shop',
  'db.query.summary': SUMMARY,
  'server.address': 'db.example',
  'db.client.connection.pool.name': 'db.example:5432/shop',
};
const BACKEND = { 'network.peer.address': '192.0.2.1', 'pgauge.connection.pid': 7 };

const error = (fields: object) => Object.assign(new Error('secret'), fields);
interface Outcome {
  readonly end: (query: QueryObserver) => void;
  readonly rows?: number;
  readonly failure?: Readonly<Record<string, string>>;
  /** Whether the query was stopped, which has a separate log record. */
  readonly stopped?: true;
}
/** Every way in which a query can end, and the telemetry expected of it. */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  'answered with rows': { end: (query) => query.completed(3), rows: 3 },
  'answered without a row': { end: (query) => query.completed(0), rows: 0 },
  'answered with an unknown number of rows': { end: (query) => query.completed(undefined) },
  'refused by the server': {
    end: (query) => query.failed(error({ code: '22012', severity: 'ERROR' })),
    failure: { 'error.type': '22012', 'db.response.status_code': '22012' },
  },
  'with its connection lost': {
    end: (query) => query.failed(error({ code: 'ECONNRESET' })),
    failure: { 'error.type': 'ECONNRESET' },
  },
  'failed with an error that has a class only': {
    end: (query) => query.failed(new RangeError('secret')),
    failure: { 'error.type': 'RangeError' },
  },
  'failed with a value that is not an Error': {
    end: (query) => query.failed('secret'),
    failure: { 'error.type': '_OTHER' },
  },
  'timed out': {
    end: (query) => query.canceled('timeout', new QueryTimeoutError(5)),
    failure: { 'error.type': 'query_timeout' },
    stopped: true,
  },
  aborted: {
    end: (query) => query.canceled('aborted', error({ code: '57014', severity: 'ERROR' })),
    failure: { 'error.type': 'query_aborted' },
    stopped: true,
  },
};

beforeEach(() => {
  useContextManager();
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  cleanUp();
  vi.useRealTimers();
});

/** Runs one query of 20 ms under its caller's span, and returns all its telemetry. */
async function told(settings: Parameters<typeof measured>[0], slowQueryMs: number, end: Outcome['end']) {
  const [meter, tracer, log] = [meterSdk(), tracerSdk(), keptLogs()];
  const { observer } = observed(
    {},
    {
      meterProvider: meter.meterProvider,
      tracerProvider: tracer.tracerProvider,
      logger: log.logger,
      queryTelemetry: measured(settings),
      slowQueryMs,
    },
  );
  const query = tracer.tracerProvider.getTracer('app').startActiveSpan('request', (request) => {
    const started = observer.session?.(SESSION).started(QUERY);
    request.end();
    return started as QueryObserver;
  });
  vi.advanceTimersByTime(20);
  end(query);
  const points = async (name: string) =>
    (await meter.points(name)).map(({ attributes, value }) => {
      const { count, sum } = value as Histogram;
      return { attributes, count, sum };
    });
  const [request, ...spans] = tracer.spans();
  // Free the name for the next pool.
  observer.ended();
  return {
    durations: await points(DURATION),
    rows: await points(ROWS),
    request,
    spans,
    entries: log.entries.filter(({ level }) => level === 'warn'),
  };
}

describe.each(Object.entries(OUTCOMES))('a query that is %s', (_name, outcome) => {
  const { end, rows, failure, stopped } = outcome;

  it('is recorded once in the duration histogram', async () => {
    const { durations } = await told({}, 0, end);
    expect(durations).toStrictEqual([{ attributes: { ...AT, ...failure }, count: 1, sum: 0.02 }]);
  });

  it('is recorded once in the rows histogram, if rows are known and enabled', async () => {
    expect((await told({}, 0, end)).rows).toEqual([]);
    const expected = rows === undefined ? [] : [{ attributes: AT, count: 1, sum: rows }];
    expect((await told({ rows: true, metrics: false }, 0, end)).rows).toStrictEqual(expected);
  });

  it('has one span below that of its caller', async () => {
    const { spans, request } = await told({}, 0, end);
    expect(spans).toHaveLength(1);
    const [span] = spans;
    if (span === undefined || request === undefined) throw new Error('no span');
    expect(parentId(span)).toBe(spanId(request));
    expect([span.name, span.kind, span.events, span.links]).toEqual([SUMMARY, SpanKind.CLIENT, [], []]);
    expect(span.attributes).toStrictEqual({
      ...AT,
      'server.port': 5432,
      'db.query.text': QUERY.text,
      ...BACKEND,
      ...(rows !== undefined && { 'db.response.returned_rows': rows }),
      ...failure,
    });
    expect(span.status).toStrictEqual({ code: failure ? SpanStatusCode.ERROR : SpanStatusCode.UNSET });
    expect(span.duration).toEqual([0, 20_000_000]);
  });

  it('has one log record inside its span, if it was slow and not stopped', async () => {
    expect((await told({}, 21, end)).entries).toEqual([]);
    const { entries, spans } = await told({}, 20, end);
    const [span] = spans;
    const fields = {
      pool: AT['db.client.connection.pool.name'],
      ...(failure && { error_type: failure['error.type'] }),
      duration_ms: 20,
      summary: SUMMARY,
      pid: 7,
      ...(rows !== undefined && { rows }),
      suppressed: 0,
    };
    const expected = {
      ...{ level: 'warn', message: 'postgres slow query', fields },
      spanId: span && spanId(span),
    };
    expect(entries).toStrictEqual(stopped ? [] : [expected]);
  });

  it('has no telemetry that is not enabled', async () => {
    const off = { metrics: false, rows: false, spans: 'never' } as const;
    const nothing = await told(off, 0, end);
    expect([nothing.durations, nothing.rows, nothing.spans, nothing.entries]).toEqual([[], [], [], []]);
    const { durations, spans } = await told({ spans: 'never' }, 0, end);
    expect([durations.length, spans.length]).toEqual([1, 0]);
  });

  it('has no text of its error in telemetry', async () => {
    const all = await told({ rows: true }, 1, end);
    expect(all.spans).toHaveLength(1);
    const spans = all.spans.map(({ name, attributes, status, events }) => [name, attributes, status, events]);
    expect(JSON.stringify([spans, all.durations, all.rows, all.entries])).not.toContain('secret');
  });
});

describe('the record of a slow query', () => {
  it('needs neither OpenTelemetry nor queryTelemetry', () => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger, slowQueryMs: 20 });
    const query = observer.session?.({ ...SESSION, pid: null }).started({ ...QUERY, text: '' });
    vi.advanceTimersByTime(20.9);
    query?.completed(undefined);
    expect(named('postgres slow query').map(({ fields }) => fields)).toStrictEqual([
      { pool: 'db.example:5432/shop', duration_ms: 20, suppressed: 0 },
    ]);
  });

  it("is written in the caller's span if the query has none", async () => {
    const { entries, request } = await told({ spans: 'never' }, 20, (query) => query.completed(1));
    expect(entries.map((entry) => entry.spanId)).toEqual([request && spanId(request)]);
    expect(trace.getActiveSpan()).toBeUndefined();
  });
});

it('an error type beyond the limit has no status code', async () => {
  const { meterProvider, points } = meterSdk();
  const { observer } = observed({}, { meterProvider, queryTelemetry: measured() });
  const session = observer.session?.(SESSION);
  for (let n = 0; n < 80; n++)
    session?.started(QUERY).failed(error({ code: `X${1000 + n}`, severity: 'ERROR' }));
  const seen = (await points(DURATION)).map(({ attributes, value }) => [
    attributes['error.type'],
    attributes['db.response.status_code'],
    (value as Histogram).count,
  ]);
  expect(seen).toHaveLength(65);
  expect(seen[0]).toEqual(['X1000', 'X1000', 1]);
  expect(seen[64]).toEqual(['_OTHER', undefined, 16]);
});
