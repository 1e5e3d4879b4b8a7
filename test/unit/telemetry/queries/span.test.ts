import { ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type Sampler,
  SamplingDecision,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wantsSpan } from '../../../../src/telemetry/queries/span.js';
import {
  cleanUp,
  measured,
  observed,
  SESSION,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

beforeEach(useContextManager);
afterEach(cleanUp);

const SELECT = { text: 'SELECT * FROM orders where id = $1', name: undefined, parameterized: true };
const LITERAL = { text: "SELECT * FROM orders where id = 'secret'", name: undefined, parameterized: false };

const below = (traceId: string) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.NONE });

describe('whether a query gets a span', () => {
  const caller = below('0af7651916cd43dd8448eb211c80319c');
  const invalid = below('0'.repeat(32));
  it.each([
    ['always', ROOT_CONTEXT, true],
    ['always', caller, true],
    ['child', ROOT_CONTEXT, false],
    ['child', invalid, false],
    ['child', caller, true],
    ['never', caller, false],
  ] as const)('%s', (mode, context, wanted) => {
    expect(wantsSpan(mode, context)).toBe(wanted);
  });

  it('with child, only below a span of the application', () => {
    const { tracerProvider, spans } = tracerSdk();
    const { observer } = observed({}, { tracerProvider, queryTelemetry: measured({ spans: 'child' }) });
    const session = observer.session?.(SESSION);
    session?.started(SELECT).completed(1);
    tracerProvider.getTracer('app').startActiveSpan('request', (request) => {
      session?.started(SELECT).completed(1);
      request.end();
    });
    expect(spans().map(({ name }) => name)).toEqual(['SELECT orders', 'request']);
  });
});

/** Runs a query with a sampler that returns `decision`; returns the sampler's inputs, and the exported spans. */
function sampledBy(decision: SamplingDecision, text: 'parameterized' | 'sanitized', query = SELECT) {
  const seen: { name: string; attributes: object }[] = [];
  const sampler: Sampler = {
    shouldSample: (_context, _traceId, name, _kind, attributes) => {
      seen.push({ name, attributes: { ...attributes } });
      return { decision };
    },
    toString: () => 'kept',
  };
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    sampler,
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const { observer } = observed({}, { tracerProvider, queryTelemetry: measured({ text }) });
  let asked = 0;
  const session = {
    ...SESSION,
    get peerAddress() {
      asked++;
      return '192.0.2.1';
    },
  };
  const observedSession = observer.session?.(session);
  asked = 0;
  observedSession?.started(query).completed(1);
  // Free the name for the next pool.
  observer.ended();
  return { seen, asked, exported: exporter.getFinishedSpans() };
}

const AT_START = {
  'db.system.name': 'postgresql',
  'db.namespace': 'shop',
  'db.query.summary': 'SELECT orders',
  'server.address': 'db.example',
  'server.port': 5432,
  'db.client.connection.pool.name': 'db.example:5432/shop',
};

describe('a sampler', () => {
  it('sees the name and the attributes of the span at its start', () => {
    const { seen } = sampledBy(SamplingDecision.RECORD_AND_SAMPLED, 'parameterized');
    expect(seen).toStrictEqual([
      { name: 'SELECT orders', attributes: { ...AT_START, 'db.query.text': SELECT.text } },
    ]);
  });

  it('sees no literal', () => {
    const { seen } = sampledBy(SamplingDecision.RECORD_AND_SAMPLED, 'sanitized', LITERAL);
    expect(seen.map(({ attributes }) => attributes)).toStrictEqual([
      { ...AT_START, 'db.query.text': 'SELECT * FROM orders where id = ?' },
    ]);
    expect(sampledBy(SamplingDecision.NOT_RECORD, 'parameterized', LITERAL).seen).toStrictEqual([
      { name: 'SELECT orders', attributes: AT_START },
    ]);
  });

  it('that drops the span saves the work at its end', () => {
    const kept = sampledBy(SamplingDecision.RECORD_AND_SAMPLED, 'parameterized');
    expect([kept.asked, kept.exported.length]).toEqual([1, 1]);
    const dropped = sampledBy(SamplingDecision.NOT_RECORD, 'parameterized');
    expect([dropped.asked, dropped.exported.length]).toEqual([0, 0]);
  });
});

it('the spans of one text have the attributes of their own target, and the text of their own query', () => {
  const { tracerProvider, spans } = tracerSdk();
  const { observer } = observed({}, { tracerProvider, queryTelemetry: measured({ text: 'sanitized' }) });
  const [here, there] = ['here.example', 'there.example'].map((host) =>
    observer.session?.({ ...SESSION, host }),
  );
  const text = 'select $1, 2';
  const given = { text, name: undefined, parameterized: true };
  for (const session of [here, there, here]) session?.started(given).completed(1);
  here?.started({ ...given, parameterized: false }).completed(1);
  expect(
    spans().map(({ attributes }) => [attributes['server.address'], attributes['db.query.text']]),
  ).toEqual([
    ['here.example', text],
    ['there.example', text],
    ['here.example', text],
    ['here.example', 'select $1, ?'],
  ]);
});

it('the span of a query without a summary is named after the database', () => {
  const { tracerProvider, span } = tracerSdk();
  const { observer } = observed({}, { tracerProvider, queryTelemetry: measured() });
  observer
    .session?.({ ...SESSION, database: 'other' })
    .started({ ...LITERAL, text: ';' })
    .completed(undefined);
  expect(span('other').attributes).not.toHaveProperty('db.query.summary');
});

it('a session without a known backend has no backend attributes', () => {
  const { tracerProvider, span } = tracerSdk();
  const { observer } = observed({}, { tracerProvider, queryTelemetry: measured() });
  const session = { ...SESSION, pid: null, peerAddress: undefined };
  observer.session?.(session).started(LITERAL).completed(undefined);
  expect(span('SELECT orders').attributes).toStrictEqual(AT_START);
});
