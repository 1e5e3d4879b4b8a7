import { type Span, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Logger, PoolOptions } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { cleanUp, tracerSdk, useContextManager } from '../../support/telemetry.js';

interface Line {
  readonly msg: string;
  readonly trace_id?: string;
  readonly span_id?: string;
}

const server = usePostgres();
const makePool = usePools(server);

let tracer: ReturnType<typeof tracerSdk>;
let lines: Line[];
let traced: PoolOptions & { logger: Logger };

beforeEach(() => {
  useContextManager();
  tracer = tracerSdk();
  lines = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  // The fields that instrumentation-pino adds to each record.
  const mixin = () => {
    const active = trace.getActiveSpan()?.spanContext();
    return active === undefined ? {} : { trace_id: active.traceId, span_id: active.spanId };
  };
  traced = { tracerProvider: tracer.tracerProvider, logger: pino({ level: 'debug', mixin }, stream) };
});
afterEach(cleanUp);

/** Runs something as one request of the application's. */
function request<T>(name: string, run: () => T): { span: Span; result: T } {
  const span = tracer.tracerProvider.getTracer('app').startSpan(name);
  return { span, result: context.with(trace.setSpan(ROOT_CONTEXT, span), run) };
}

const ids = (span: { spanContext(): { traceId: string; spanId: string } }) => ({
  trace_id: span.spanContext().traceId,
  span_id: span.spanContext().spanId,
});
const line = (message: string): Line => {
  const found = lines.filter(({ msg }) => msg === message);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} records say ${message}`);
  return found[0];
};

describe('the trace IDs of a log record are those of', () => {
  test('the failed attempt, in the trace of the request that needed it', async () => {
    const pool = await makePool({ host: '127.0.0.1', port: 1 }, {}, traced);
    const { span, result } = request('checkout', () => rejection(pool.query('select 1')));
    await result;
    const attempt = tracer.span(`CONNECT ${server().database}`);
    expect(line('postgres connect failed')).toMatchObject(ids(attempt));
    expect(ids(attempt).trace_id).toBe(ids(span).trace_id);
  });

  test('the token that could not be fetched', async () => {
    const pool = await makePool(
      server(),
      {},
      {
        ...traced,
        beforeConnect: async (_target, attempt) => {
          await attempt.refreshToken({ provider: 'vault' }, () => Promise.reject(new TypeError('sealed')));
        },
      },
    );
    await request('checkout', () => rejection(pool.query('select 1'))).result;
    const token = tracer.span('pgauge.auth.token.refresh');
    expect(line('postgres token refresh failed')).toMatchObject(ids(token));
  });

  test('the connection that was opened', async () => {
    const pool = await makePool(server(), {}, traced);
    await request('checkout', () => pool.query('select 1')).result;
    expect(line('postgres connection opened')).toMatchObject(
      ids(tracer.span(`CONNECT ${server().database}`)),
    );
  });

  test.each(['auto', 'never'] as const)(
    'the acquire that timed out, or its caller if the acquire has no span (acquireSpan %s)',
    async (acquireSpan) => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, { ...traced, acquireSpan });
      const held = await pool.connect();
      const { span, result } = request('checkout', () => rejection(pool.connect({ timeoutMs: 20 })));
      await result;
      held.release();
      const below = tracer.spans().filter((each) => each.parentSpanContext?.spanId === ids(span).span_id);
      expect(below).toHaveLength(acquireSpan === 'auto' ? 1 : 0);
      expect(line('postgres acquire timed out')).toMatchObject(ids(below[0] ?? span));
    },
  );

  test('the request that released a client in an open transaction', async () => {
    const pool = await makePool(server(), {}, traced);
    const client = await pool.connect();
    await client.query('begin');
    const { span } = request('checkout', () => client.release());
    expect(line('postgres client released in a transaction')).toMatchObject(ids(span));
  });

  test('the request that holds a client for too long, not the one that released it before', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { ...traced, leakDetectionMs: 100 });
    const { result: before } = request('before', () => pool.connect());
    const client = await before;
    const { span, result } = request('leaking', () => pool.connect());
    request('before', () => client.release());
    const leaked = await result;
    await until('the leak is suspected', () => lines.some(({ msg }) => msg.endsWith('leak suspected')));
    leaked.release();
    expect(line('postgres connection leak suspected')).toMatchObject(ids(span));
  });

  test('no trace if no request caused the record', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, traced);
    const client = await request('holder', () => pool.connect()).result;
    const waiting = request('waiter', () => pool.connect()).result;
    await until('it is saturated', () => lines.some(({ msg }) => msg === 'postgres pool saturated'));
    client.release();
    (await waiting).release();
    await until('it has recovered', () => lines.some(({ msg }) => msg === 'postgres pool recovered'));
    for (const message of ['postgres pool saturated', 'postgres pool recovered']) {
      expect(line(message)).not.toHaveProperty('trace_id');
    }
  });
});
