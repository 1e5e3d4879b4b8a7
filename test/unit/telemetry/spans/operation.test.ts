import { type Tracer } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp, DIALLED, observed, useContextManager } from '../../../support/telemetry.js';

beforeEach(useContextManager);
afterEach(cleanUp);

describe('Operation', () => {
  it('does not fail the pool if the tracer throws from every method', async () => {
    const broken = new Proxy({} as Tracer, {
      get() {
        throw new Error('broken');
      },
    });
    const { observer } = observed({}, { tracer: broken, acquireSpan: 'always' });
    observer.acquired(1);
    const acquire = observer.acquireStarted();
    acquire.waiting('exhausted');
    const attempt = observer.connecting(acquire);
    await expect(attempt.hook(() => Promise.resolve('ran'))).resolves.toBe('ran');
    attempt.dialing(DIALLED);
    attempt.connected(1);
    acquire.acquired(1);
  });

  it('does not fail the pool if a span processor throws', () => {
    const throwing = () => {
      throw new Error('broken');
    };
    const tracerProvider = new BasicTracerProvider({
      spanProcessors: [
        {
          onStart: () => undefined,
          onEnd: throwing,
          forceFlush: () => Promise.resolve(),
          shutdown: () => Promise.resolve(),
        },
      ],
    });
    expect(() => observed({}, { tracerProvider }).observer.connecting(undefined).connected(1)).not.toThrow();
  });
});
