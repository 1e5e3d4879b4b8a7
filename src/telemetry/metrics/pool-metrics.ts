import type { Attributes, Histogram, Meter, MeterProvider } from '@opentelemetry/api';
import { createNoopMeter, metrics } from '@opentelemetry/api';
import type { CloseReason, PoolGauges } from '../../observer.js';
import { type CredentialsSource, MeterCredentials } from './credentials.js';
import { quietly } from '../guard.js';
import type { PoolIdentity } from '../identity.js';
import { ATTR, METRIC, SCOPE } from '../names.js';
import { newTally, ObservedPool, ObservedPools, type Tally } from './observables.js';

/** Where metrics go; unset: the global meter provider, also one registered later. */
export interface MeterOptions {
  readonly meter?: Meter | undefined;
  readonly meterProvider?: MeterProvider | undefined;
}

/** The metrics of one pool. */
export class PoolMetrics {
  private readonly attributes: Attributes;
  private readonly failures = new Map<string, Attributes>();
  private readonly tally: Tally = newTally();
  private readonly followsGlobal: boolean;
  private provider: MeterProvider | undefined;
  private instruments: Instruments | undefined;
  private gauges: PoolGauges | undefined;
  private observed: ObservedPool | undefined;
  /** The meter's view of the credentials, once the pool has joined those who use them. */
  private joined: MeterCredentials | undefined;
  private usesCredentials = false;
  private hasEnded = false;

  constructor(
    private readonly identity: PoolIdentity,
    private readonly poolName: string,
    { meter, meterProvider }: MeterOptions,
    private readonly credentials?: CredentialsSource,
  ) {
    this.attributes = { [ATTR.poolName]: poolName };
    this.followsGlobal = meter === undefined && meterProvider === undefined;
    if (this.followsGlobal) this.follow();
    else
      this.instruments = quietly(() =>
        instrumentsOf(
          meter ?? meterProvider?.getMeter(SCOPE.name, SCOPE.version, { schemaUrl: SCOPE.schemaUrl }),
        ),
      );
    if (identity.authProvider !== undefined) this.tokensFrom(identity.authProvider);
  }

  /** Notices a global provider registered since: an instrument made before stays a no-op for ever. */
  follow(): void {
    if (this.followsGlobal && metrics.getMeterProvider() !== this.provider)
      this.move(metrics.getMeterProvider());
  }

  /** An acquire was served at once. */
  acquired(waitMs: number): void {
    this.follow();
    if (this.instruments !== undefined) record(this.instruments.waitTime, waitMs, this.attributes);
  }

  /** An acquire that could wait ended; `errorType` if it failed. */
  waited(waitMs: number, errorType?: string): void {
    if (this.instruments !== undefined) record(this.instruments.waitTime, waitMs, this.withError(errorType));
  }

  /** A checkout ended. */
  released(useMs: number): void {
    if (this.instruments !== undefined) record(this.instruments.useTime, useMs, this.attributes);
  }

  /** A connection attempt ended; `errorType` if it failed. */
  created(durationMs: number, errorType?: string): void {
    if (errorType === undefined) this.tally.opened++;
    if (this.instruments !== undefined)
      record(this.instruments.createTime, durationMs, this.withError(errorType));
  }

  /** The pool's tokens come from `provider`, whose credentials are its concern from now on. */
  tokensFrom(provider: string): void {
    if (this.usesCredentials || this.hasEnded || provider !== this.credentials?.provider) return;
    this.usesCredentials = true;
    this.joinCredentials();
  }

  /** A token refresh ended; `errorType` if it failed. */
  tokenRefreshed(provider: string, durationMs: number, errorType?: string): void {
    if (this.instruments === undefined) return;
    record(this.instruments.tokenRefreshDuration, durationMs, {
      ...this.withError(errorType),
      [ATTR.authProviderName]: provider,
    });
  }

  /** A connection was closed, or a login failed on an open socket. */
  closed(reason: CloseReason): void {
    this.tally.closed[reason]++;
  }

  /** Starts to observe the pool. */
  watch(gauges: PoolGauges): void {
    this.gauges = gauges;
    this.observe();
  }

  /** The pool has ended: its observables are read for the last time. */
  ended(): void {
    this.hasEnded = true;
    this.unobserve();
    this.leaveCredentials();
    this.gauges = undefined;
  }

  /** Cumulative: connections opened and closed. */
  totals(): { readonly opened: number; readonly closed: number } {
    return {
      opened: this.tally.opened,
      closed: Object.values(this.tally.closed).reduce((sum, count) => sum + count, 0),
    };
  }

  private move(provider: MeterProvider): void {
    this.provider = provider;
    this.unobserve();
    this.leaveCredentials();
    this.instruments = quietly(() =>
      instrumentsOf(provider.getMeter(SCOPE.name, SCOPE.version, { schemaUrl: SCOPE.schemaUrl })),
    );
    this.observe();
    this.joinCredentials();
  }

  private observe(): void {
    const { gauges, instruments } = this;
    if (gauges === undefined || instruments === undefined || this.hasEnded) return;
    this.unobserve();
    this.observed = quietly(() => new ObservedPool(this.identity, this.poolName, gauges, this.tally));
    if (this.observed !== undefined) instruments.pools.add(this.observed);
  }

  private unobserve(): void {
    const { observed } = this;
    if (observed !== undefined) quietly(() => observed.retire());
    this.observed = undefined;
  }

  private joinCredentials(): void {
    const { credentials, instruments } = this;
    if (!this.usesCredentials || this.hasEnded || credentials === undefined || instruments === undefined)
      return;
    this.joined = instruments.credentials;
    quietly(() => instruments.credentials.join(credentials));
  }

  private leaveCredentials(): void {
    const { credentials, joined } = this;
    if (credentials !== undefined && joined !== undefined) joined.leave(credentials);
    this.joined = undefined;
  }

  private withError(errorType: string | undefined): Attributes {
    if (errorType === undefined) return this.attributes;
    let attributes = this.failures.get(errorType);
    if (attributes === undefined) {
      attributes = { ...this.attributes, [ATTR.errorType]: errorType };
      this.failures.set(errorType, attributes);
    }
    return attributes;
  }
}

interface Instruments {
  readonly waitTime: Histogram;
  readonly createTime: Histogram;
  readonly useTime: Histogram;
  readonly tokenRefreshDuration: Histogram;
  readonly pools: ObservedPools;
  readonly credentials: MeterCredentials;
}

// Shared by all pools of a meter, so that each meter has one batch callback.
const byMeter = new WeakMap<Meter, Instruments>();
const NOOP_METER = createNoopMeter();

function instrumentsOf(meter: Meter | undefined): Instruments | undefined {
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
    pools: new ObservedPools(meter, credentials),
    credentials,
  };
}

function record(histogram: Histogram, ms: number, attributes: Attributes): void {
  try {
    histogram.record(ms / 1000, attributes);
  } catch {
    // A meter that throws must not fail an acquire or a release.
  }
}
