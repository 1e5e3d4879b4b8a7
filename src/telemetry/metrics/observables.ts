import type { Attributes, BatchObservableResult, Meter, MetricOptions, Observable } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import type { CloseReason, PoolGauges } from '../../observer.js';
import type { MeterCredentials } from './credentials.js';
import { infoAttributes, type PoolIdentity } from '../identity.js';
import { ATTR, METRIC } from '../names.js';
import { CLOSE_REASONS } from '../../observer.js';

/** What telemetry counts itself, because no gauge has it; all *cumulative*. */
export interface Tally {
  opened: number;
  readonly closed: Record<CloseReason, number>;
}

/** A tally with every reason at 0, since a series that starts above 0 hides its first event. */
export function newTally(): Tally {
  const closed = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])) as Record<
    CloseReason,
    number
  >;
  return { opened: 0, closed };
}

/** All observables of one meter, and the pools they are read from at collection. */
export class ObservedPools {
  private readonly pools = new Set<ObservedPool>();
  private readonly instruments: ObservableInstruments;

  constructor(
    meter: Meter,
    private readonly credentials: MeterCredentials,
  ) {
    this.instruments = createObservables(meter);
    meter.addBatchObservableCallback((result) => this.observe(result), Object.values(this.instruments));
  }

  /** Starts to observe a pool; it leaves by itself after `retire()` and one more collection. */
  add(pool: ObservedPool): void {
    this.pools.add(pool);
  }

  private observe(result: BatchObservableResult): void {
    // A pool that took over the name of an ended one was added later, so its values win.
    for (const pool of this.pools) {
      try {
        pool.observe(result, this.instruments);
      } catch {
        // One pool that cannot be read must not hide the others.
      }
      if (pool.retired) this.pools.delete(pool);
    }
    try {
      this.credentials.observe(result, this.instruments.credentialsExpiration);
    } catch {
      // A collection must not fail for want of one number.
    }
  }
}

/** One pool as one meter sees it; all attribute objects are built here, none at collection. */
export class ObservedPool {
  private readonly pool: Attributes;
  private readonly used: Attributes;
  private readonly idle: Attributes;
  private readonly connecting: Attributes;
  private readonly info: Attributes;
  private readonly reasons: readonly (readonly [CloseReason, Attributes])[];
  private readonly hasIdleMin: boolean;
  /** True once the pool has ended or moved to another meter. */
  retired = false;

  constructor(
    identity: PoolIdentity,
    poolName: string,
    private gauges: PoolGauges,
    private tally: Tally,
  ) {
    this.pool = { [ATTR.poolName]: poolName };
    this.used = { ...this.pool, [ATTR.connectionState]: 'used' };
    this.idle = { ...this.pool, [ATTR.connectionState]: 'idle' };
    this.connecting = { ...this.pool, [ATTR.connectionState]: 'connecting' };
    this.info = infoAttributes(identity, poolName);
    this.reasons = CLOSE_REASONS.map(
      (reason) => [reason, { ...this.pool, [ATTR.closeReason]: reason }] as const,
    );
    this.hasIdleMin = gauges.idleMin > 0;
  }

  /** Freezes the counters and sets the rest to 0, for the last observation: an SDK repeats the last value it saw. */
  retire(): void {
    if (this.retired) return;
    this.retired = true;
    this.tally = { opened: this.tally.opened, closed: { ...this.tally.closed } };
    // A copy, so that the meter does not keep an ended pool in memory.
    this.gauges = finalGauges(this.gauges);
  }

  observe(result: BatchObservableResult, to: ObservableInstruments): void {
    const { gauges, pool, tally } = this;
    result.observe(to.connectionCount, gauges.used, this.used);
    result.observe(to.connectionCount, gauges.idle, this.idle);
    result.observe(to.connectionCount, gauges.connecting, this.connecting);
    result.observe(to.connectionLimit, gauges.limit, pool);
    if (this.hasIdleMin) result.observe(to.connectionIdleMin, gauges.idleMin, pool);
    result.observe(to.pendingRequests, gauges.pending, pool);
    result.observe(to.longestUse, gauges.longestUseMs / 1000, pool);
    result.observe(to.longestWait, gauges.longestWaitMs / 1000, pool);
    result.observe(to.timeouts, gauges.acquireTimeouts, pool);
    result.observe(to.emptyAcquires, gauges.emptyAcquires, pool);
    result.observe(to.emptyAcquireWaitTime, gauges.emptyAcquireWaitMs / 1000, pool);
    result.observe(to.canceledAcquires, gauges.canceledAcquires, pool);
    result.observe(to.connectionOpened, tally.opened, pool);
    for (const [reason, attributes] of this.reasons)
      result.observe(to.connectionClosed, tally.closed[reason], attributes);
    result.observe(to.poolInfo, this.retired ? 0 : 1, this.info);
  }
}

type ObservableInstruments = ReturnType<typeof createObservables>;

function finalGauges(last: PoolGauges): PoolGauges {
  return {
    used: 0,
    idle: 0,
    connecting: 0,
    limit: 0,
    idleMin: 0,
    pending: 0,
    longestUseMs: 0,
    longestWaitMs: 0,
    acquireTimeouts: last.acquireTimeouts,
    emptyAcquires: last.emptyAcquires,
    emptyAcquireWaitMs: last.emptyAcquireWaitMs,
    canceledAcquires: last.canceledAcquires,
  };
}

function createObservables(meter: Meter) {
  type Metric = (typeof METRIC)[keyof typeof METRIC];
  const options = ({ unit, description }: Metric): MetricOptions => ({
    unit,
    description,
    valueType: unit === 's' ? ValueType.DOUBLE : ValueType.INT,
  });
  const upDown = (metric: Metric): Observable =>
    meter.createObservableUpDownCounter(metric.name, options(metric));
  const counter = (metric: Metric): Observable => meter.createObservableCounter(metric.name, options(metric));
  const gauge = (metric: Metric): Observable => meter.createObservableGauge(metric.name, options(metric));
  return {
    connectionCount: upDown(METRIC.connectionCount),
    connectionLimit: upDown(METRIC.connectionLimit),
    connectionIdleMin: upDown(METRIC.connectionIdleMin),
    pendingRequests: upDown(METRIC.pendingRequests),
    timeouts: counter(METRIC.timeouts),
    emptyAcquires: counter(METRIC.emptyAcquires),
    emptyAcquireWaitTime: counter(METRIC.emptyAcquireWaitTime),
    canceledAcquires: counter(METRIC.canceledAcquires),
    credentialsExpiration: gauge(METRIC.credentialsExpiration),
    longestUse: gauge(METRIC.longestUse),
    longestWait: gauge(METRIC.longestWait),
    connectionOpened: counter(METRIC.connectionOpened),
    connectionClosed: counter(METRIC.connectionClosed),
    poolInfo: upDown(METRIC.poolInfo),
  };
}
