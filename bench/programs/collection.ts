// Reading the observables of many pools: pgauge's callback alone, and a whole collection by the SDK.
import { createNoopMeter, type BatchObservableResult, type MeterProvider } from '@opentelemetry/api';
import { MeterProvider as SdkMeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { newPool, type InstrumentedPool } from '../../src/index.js';
import { spentOn } from './clock.js';
import type { Prepare } from './program.js';
import { silentLogger } from './silent-logger.js';

class Reader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** A no-op meter whose batch callback can be called. */
function bareMeter() {
  const noop = createNoopMeter();
  let callback: ((result: BatchObservableResult) => void) | undefined;
  const meter = Object.assign(Object.create(noop) as typeof noop, {
    addBatchObservableCallback: (given: (result: BatchObservableResult) => void) => void (callback = given),
  });
  const result: BatchObservableResult = { observe: () => undefined };
  return { provider: { getMeter: () => meter } satisfies MeterProvider, read: () => callback?.(result) };
}

async function open(count: number, meterProvider: MeterProvider, names: string): Promise<InstrumentedPool[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, i) =>
      newPool(
        { host: 'localhost', port: 1, user: 'app', database: 'app', sslMode: 'disable' },
        { logger: silentLogger, meterProvider, poolName: `${names} ${i}` },
      ),
    ),
  );
}

export const prepare: Prepare = async (_contender, { pools = 1 }, { size: { collections = 0 } }) => {
  const bare = bareMeter();
  const reader = new Reader();
  const opened = [
    ...(await open(pools, bare.provider, 'bare')),
    ...(await open(pools, new SdkMeterProvider({ readers: [reader] }), 'sdk')),
  ];
  const work = async (total: number): Promise<{ own: number; sdk: number }> => {
    const own = await spentOn(() => {
      for (let i = 0; i < total; i++) bare.read();
    });
    const sdk = await spentOn(async () => {
      for (let i = 0; i < total; i++) await reader.collect();
    });
    return { own: own.cpuMs, sdk: sdk.cpuMs };
  };
  await work(collections);
  return {
    async run() {
      const { own, sdk } = await work(collections);
      const each = (ms: number): number => (ms * 1000) / collections / pools;
      return { ownUs: each(own), collectUs: each(sdk) };
    },
    async end() {
      for (const pool of opened) await pool.end();
    },
  };
};
