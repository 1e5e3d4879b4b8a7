import { trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, CONNECT, observed, tracerSdk } from '../../../support/telemetry.js';

afterEach(cleanUp);

describe('the tracer of a pool', () => {
  const connectOnce = (observer: ReturnType<typeof observed>['observer']) =>
    observer.connecting(undefined).connected(1);

  it('is the global one, even if its SDK is registered after the pool was created', () => {
    const { tracerProvider, spans } = tracerSdk();
    const { observer } = observed();
    connectOnce(observer);
    trace.setGlobalTracerProvider(tracerProvider);
    connectOnce(observer);
    expect(spans().map((span) => span.name)).toEqual([CONNECT]);
  });

  it('changes with the global provider', () => {
    const [before, after] = [tracerSdk(), tracerSdk()];
    trace.setGlobalTracerProvider(before.tracerProvider);
    const { observer } = observed();
    connectOnce(observer);
    trace.disable();
    connectOnce(observer);
    trace.setGlobalTracerProvider(after.tracerProvider);
    connectOnce(observer);
    expect([before.spans().length, after.spans().length]).toEqual([1, 1]);
  });

  it('changes with the delegate of the global provider', () => {
    const [before, after] = [tracerSdk(), tracerSdk()];
    trace.setGlobalTracerProvider(before.tracerProvider);
    const { observer } = observed();
    connectOnce(observer);
    (
      trace.getTracerProvider() as unknown as { setDelegate(provider: BasicTracerProvider): void }
    ).setDelegate(after.tracerProvider);
    connectOnce(observer);
    expect([before.spans().length, after.spans().length]).toEqual([1, 1]);
  });

  it('is the one from the options, regardless of the global provider', () => {
    const [given, global] = [tracerSdk(), tracerSdk()];
    trace.setGlobalTracerProvider(global.tracerProvider);
    connectOnce(observed({}, { tracer: given.tracerProvider.getTracer('app') }).observer);
    connectOnce(observed({}, { tracerProvider: given.tracerProvider }).observer);
    expect([given.spans().length, global.spans().length]).toEqual([2, 0]);
  });
});
