import { SpanStatusCode } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcquireTimeoutError } from '../../../../src/errors.js';
import {
  cleanUp,
  CONNECT,
  endMs,
  observed,
  parentId,
  spanId,
  startMs,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

beforeEach(useContextManager);
afterEach(cleanUp);

describe('acquireSpan', () => {
  const run = (acquireSpan: 'auto' | 'always' | 'never') => {
    const sdk = tracerSdk();
    const { observer } = observed({}, { tracerProvider: sdk.tracerProvider, acquireSpan });
    sdk.tracerProvider.getTracer('app').startActiveSpan('request', (request) => {
      observer.acquired(3);
      observer.acquireStarted().acquired(3);
      const acquire = observer.acquireStarted();
      acquire.waiting('exhausted');
      observer.connecting(acquire).connected(1);
      acquire.acquired(3);
      request.end();
    });
    const names = sdk.spans().map((span) => span.name);
    return { ...sdk, names };
  };

  it('auto: only acquires that wait have a span', () => {
    expect(run('auto').names).toEqual([CONNECT, 'pgauge.pool.acquire', 'request']);
  });

  it('always: acquires that are served at once have a span too, from their start', () => {
    const { names, spans, span } = run('always');
    expect(names).toEqual([
      'pgauge.pool.acquire',
      'pgauge.pool.acquire',
      CONNECT,
      'pgauge.pool.acquire',
      'request',
    ]);
    const [warm] = spans();
    if (warm === undefined) throw new Error('no span');
    expect(parentId(warm)).toBe(spanId(span('request')));
    // Exact to the microsecond, as spans are exported; on a busy machine the span ends later than the acquire.
    expect(endMs(warm) - startMs(warm)).toBeGreaterThan(2.99);
    expect(warm.attributes['pgauge.acquire.reason']).toBeUndefined();
  });

  it('never: no acquire has a span, and CONNECT is a child of the caller’s span', () => {
    const { names, span } = run('never');
    expect(names).toEqual([CONNECT, 'request']);
    expect(parentId(span(CONNECT))).toBe(spanId(span('request')));
  });
});

describe('a failed acquire', () => {
  it('does not mark its CONNECT span as failed', () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const acquire = observer.acquireStarted();
    acquire.waiting('new_connection');
    const attempt = observer.connecting(acquire);
    acquire.failed(1, new AcquireTimeoutError('x'));
    attempt.connected(2);
    expect(span('pgauge.pool.acquire').attributes['error.type']).toBe('acquire_timeout');
    expect(span(CONNECT).status.code).toBe(SpanStatusCode.UNSET);
  });
});
