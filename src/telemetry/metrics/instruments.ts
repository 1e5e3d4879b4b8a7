import type { Histogram, Meter } from '@opentelemetry/api';
import { createNoopMeter } from '@opentelemetry/api';
import { sharedByVersion } from '../../process-state.js';
import { METRIC } from '../names.js';
import { MeterCredentials } from './credentials.js';
import { ObservedPools } from './observed-pools.js';

/** The instruments of one meter. */
export interface Instruments {
  readonly waitTime: Histogram;
  readonly createTime: Histogram;
  readonly useTime: Histogram;
  readonly tokenRefreshDuration: Histogram;
  readonly sessionHookDuration: Histogram;
  readonly operationDuration: Histogram;
  readonly returnedRows: Histogram;
  readonly pools: ObservedPools;
  readonly credentials: MeterCredentials;
}

// Shared by all pools of a meter, so that each meter has one batch callback.
const byMeter = sharedByVersion('instruments', () => new WeakMap<Meter, Instruments>());
const NOOP_METER = createNoopMeter();

/** The instruments of a meter, created on first use; `undefined` for the no-op meter. */
export function instrumentsOf(meter: Meter | undefined): Instruments | undefined {
  if (meter === undefined || meter === NOOP_METER) return undefined;
  let instruments = byMeter.get(meter);
  if (instruments === undefined) {
    instruments = createInstruments(meter);
    byMeter.set(meter, instruments);
  }
  return instruments;
}

type HistogramMetric = Extract<(typeof METRIC)[keyof typeof METRIC], { readonly buckets: unknown }>;

function createInstruments(meter: Meter): Instruments {
  const histogram = ({ name, unit, description, buckets }: HistogramMetric): Histogram =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } });
  const credentials = new MeterCredentials(histogram(METRIC.credentialsFetchDuration));
  return {
    waitTime: histogram(METRIC.waitTime),
    createTime: histogram(METRIC.createTime),
    useTime: histogram(METRIC.useTime),
    tokenRefreshDuration: histogram(METRIC.tokenRefreshDuration),
    sessionHookDuration: histogram(METRIC.sessionHookDuration),
    operationDuration: histogram(METRIC.operationDuration),
    returnedRows: histogram(METRIC.returnedRows),
    pools: new ObservedPools(meter, credentials),
    credentials,
  };
}
