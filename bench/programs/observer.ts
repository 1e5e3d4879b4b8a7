// The cost of a pool's observer for one checkout, without the pool: one acquire and one release.
import { createNoopMeter, type Histogram } from '@opentelemetry/api';
import { observePool } from '../../src/telemetry/index.js';
import { METRIC } from '../../src/telemetry/names.js';
import { spentOn } from './clock.js';
import type { Prepare } from './program.js';
import { silentLogger } from './silent-logger.js';
import { newMeterProvider } from './telemetry.js';

const IDENTITY = { host: 'localhost', port: 5432, database: 'app', tlsMode: 'disable' };

/** Records two values with one attribute, as simply as possible. */
function twoRecords(): (i: number) => void {
  const meter = newMeterProvider().getMeter('bench');
  const histogram = ({ name, buckets }: typeof METRIC.waitTime | typeof METRIC.useTime): Histogram =>
    meter.createHistogram(name, { advice: { explicitBucketBoundaries: [...buckets] } });
  const [wait, use] = [histogram(METRIC.waitTime), histogram(METRIC.useTime)];
  const attributes = { 'db.client.connection.pool.name': 'localhost:5432/app' };
  return (i) => {
    wait.record(0, attributes);
    use.record(i / 1e6, attributes);
  };
}

function observed(contender: string): (i: number) => void {
  const meter = contender.includes('noop-meter')
    ? { meter: createNoopMeter() }
    : contender.includes('metrics')
      ? { meterProvider: newMeterProvider() }
      : {};
  const { observer } = observePool(IDENTITY as never, {
    logger: silentLogger,
    acquireSpan: 'auto',
    ...meter,
  });
  return (i) => {
    observer.acquired(0);
    observer.released(i / 1e3);
  };
}

export const prepare: Prepare = async (contender, _variant, { size: { checkouts = 0 } }) => {
  const once = contender.startsWith('two records') ? twoRecords() : observed(contender);
  const work = (): void => {
    for (let i = 0; i < checkouts; i++) once(i);
  };
  work();
  await spentOn(work);
  return {
    async run() {
      const { cpuMs } = await spentOn(work);
      return { ns: (cpuMs * 1e6) / checkouts };
    },
    end: () => Promise.resolve(),
  };
};
