// Import this before anything that loads the driver, so that the instrumentation sees it loaded.
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { PoolOptions } from '../../../src/index.js';
import { tracerSdk } from '../../support/telemetry.js';

const { tracerProvider, spans } = tracerSdk();
const instrumentation = new PgInstrumentation();
instrumentation.setTracerProvider(tracerProvider);

const CLIENTS: [string, { options: PoolOptions; instrumented: boolean }][] = [
  ['a plain client', { options: {}, instrumented: false }],
  // This client has its own class; the limit is longer than any query here.
  ['a client under queryTimeoutMs', { options: { queryTimeoutMs: 20_000 }, instrumented: false }],
  ['a client with the instrumentation of pg', { options: {}, instrumented: true }],
];

/** Declares tests for every kind of client that a pool hands out; `options` make the pool hand out that kind. */
export function describeEveryClient(tests: (options: PoolOptions) => void): void {
  describe.each(CLIENTS)('on %s', (_name, { options, instrumented }) => {
    beforeAll(() => {
      if (instrumented) instrumentation.enable();
      else instrumentation.disable();
    });
    afterAll(() => expect(spans().length > 0).toBe(instrumented));
    tests(options);
  });
}
