import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cleanUp,
  CONNECT,
  endMs,
  observed,
  startMs,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

beforeEach(useContextManager);
afterEach(cleanUp);

describe('SpanClock', () => {
  it('keeps spans within the time of their parents, counted from the start of the acquire', async () => {
    const { tracerProvider, spans, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const before = Date.now();
    const acquire = observer.acquireStarted();
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    acquire.waiting('exhausted');
    const attempt = observer.connecting(acquire);
    await attempt.hook(() => new Promise((resolve) => setTimeout(resolve, 5)));
    attempt.connected(5);
    acquire.acquired(performance.now() - started);
    const root = span('pgauge.pool.acquire');
    expect(startMs(root)).toBeGreaterThanOrEqual(before);
    expect(endMs(root) - startMs(root)).toBeGreaterThanOrEqual(24);
    expect(startMs(span(CONNECT)) - startMs(root)).toBeGreaterThanOrEqual(19);
    for (const child of spans()) {
      expect(startMs(child)).toBeGreaterThanOrEqual(startMs(root));
      expect(endMs(child)).toBeLessThanOrEqual(endMs(root));
    }
  });
});
