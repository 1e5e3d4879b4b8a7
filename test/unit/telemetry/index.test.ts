import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcquireTimeoutError, AuthError } from '../../../src/errors.js';
import {
  cleanUp,
  idleGauges,
  keptLogs,
  meterSdk,
  observed,
  tracerSdk,
  useContextManager,
} from '../../support/telemetry.js';

beforeEach(useContextManager);
afterEach(cleanUp);

describe('observePool', () => {
  it('reports no text of an error or token in any span, metric or log', async () => {
    const canary = 'canary-hunter2';
    const { tracerProvider, spans } = tracerSdk();
    const { meterProvider, collect } = meterSdk();
    const { logger, entries } = keptLogs();
    const { observer, watch } = observed(
      {},
      { tracerProvider, meterProvider, logger, acquireSpan: 'always' },
    );
    watch(idleGauges());
    const errors = [
      new Error(canary, { cause: new Error(canary) }),
      Object.assign(new Error(canary), { code: canary, detail: canary, severity: canary, hint: canary }),
      new AuthError(canary, { cause: Object.assign(new Error(canary), { name: canary }) }),
      new AcquireTimeoutError(canary, { cause: new Error(canary) }),
      new Error(`${canary} PGPASSFILE`),
      canary,
      { code: canary, message: canary, [canary]: canary },
    ] as Error[];
    for (const error of errors) {
      const acquire = observer.acquireStarted();
      acquire.waiting('new_connection');
      const attempt = observer.connecting(acquire);
      const fail = () => Promise.reject<string>(error);
      await attempt.hook(() => attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve(canary)));
      await Promise.allSettled([
        attempt.hook(fail),
        attempt.token({ provider: 'awsRdsIam' }, fail),
        attempt.init(fail),
      ]);
      attempt.failed(1, error, 'auth', 'auth');
      acquire.failed(1, error);
      observer.closed('network', 1, error);
    }
    observer.ended();
    const told = JSON.stringify([
      spans().map(({ name, attributes, status, events, links }) => ({
        name,
        attributes,
        status,
        events,
        links,
      })),
      await collect(),
      entries,
    ]);
    expect(spans().length).toBeGreaterThan(40);
    expect(entries.length).toBeGreaterThan(10);
    expect(told).toContain('acquire_timeout');
    expect(told).not.toContain(canary);
  });

  it('returns the given logger, guarded', () => {
    const { logger, entries } = keptLogs();
    const failing = () => {
      throw new Error('broken');
    };
    const telemetry = observed({}, { logger: { ...logger, warn: failing } });
    telemetry.logger.info({ a: 1 }, 'written');
    expect(() => telemetry.logger.warn({}, 'not written')).not.toThrow();
    expect(entries).toMatchObject([{ level: 'info', fields: { a: 1 }, message: 'written' }]);
  });
});
