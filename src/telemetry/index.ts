import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Logger } from '../hooks.js';
import type { AcquireObserver, AttemptObserver, CloseReason, PoolGauges, PoolObserver } from '../observer.js';
import { ObservedAcquire, traceWarmAcquire } from './observers/acquire.js';
import { ObservedAttempt } from './observers/attempt.js';
import type { CredentialsSource } from './metrics/credentials.js';
import { ErrorTypes } from './error-type.js';
import { quietly } from './guard.js';
import { type PoolIdentity, releasePoolName, spanAttributes, takePoolName } from './identity.js';
import { guardLogger } from './logs/logger.js';
import { PoolLogs } from './logs/pool-logs.js';
import { type MeterOptions, PoolMetrics } from './metrics/pool-metrics.js';
import { SaturationWatch } from './logs/saturation.js';
import type { Signals } from './observers/signals.js';
import { type TracerOptions, TracerSource } from './spans/operation.js';

export type { CredentialsSource } from './metrics/credentials.js';
export type { PoolIdentity } from './identity.js';

/** Where a pool's telemetry goes. */
export interface TelemetryOptions extends MeterOptions, TracerOptions {
  readonly logger: Logger;
  /** Which acquires make a span: those that wait, all, or none. */
  readonly acquireSpan: 'auto' | 'always' | 'never';
  /** The credentials of this process; observed by pools whose tokens they sign. */
  readonly credentials?: CredentialsSource | undefined;
}

/** The telemetry of one pool. */
export interface PoolTelemetry {
  readonly observer: PoolObserver;
  /** `db.client.connection.pool.name`, unique in this process until the pool has ended. */
  readonly poolName: string;
  /** Starts to observe the pool's numbers; called once, when they can be read. */
  watch(gauges: PoolGauges): void;
}

/** Takes the pool's name and composes metrics, spans and logs into one observer; `observer.ended()` frees the name. */
export function observePool(identity: PoolIdentity, options: TelemetryOptions): PoolTelemetry {
  const known = Object.freeze({ ...identity });
  const poolName = takePoolName(known);
  const logs = new PoolLogs(guardLogger(options.logger), poolName);
  const signals: Signals = {
    identity: known,
    spanAttributes: Object.freeze(spanAttributes(known, poolName)),
    acquireSpan: options.acquireSpan,
    errorTypes: new ErrorTypes(),
    metrics: new PoolMetrics(known, poolName, options, options.credentials),
    tracers: new TracerSource(options),
    logs,
    saturation: new SaturationWatch(logs),
    gauges: undefined,
    failedAttempts: 0,
  };
  const Observer = options.acquireSpan === 'always' ? TracingAllObserver : TelemetryObserver;
  return {
    observer: new Observer(signals, poolName),
    poolName,
    watch: (gauges) => {
      signals.gauges = gauges;
      signals.metrics.watch(gauges);
      signals.saturation.watch(gauges);
    },
  };
}

class TelemetryObserver implements PoolObserver {
  protected readonly metrics: PoolMetrics;
  private readonly untraced: ObservedAcquire;
  private hasEnded = false;

  constructor(
    protected readonly signals: Signals,
    private readonly poolName: string,
  ) {
    this.metrics = signals.metrics;
    this.untraced = new ObservedAcquire(signals, undefined, ROOT_CONTEXT);
  }

  acquired(waitMs: number): void {
    this.metrics.acquired(waitMs);
  }

  acquireStarted(): AcquireObserver {
    this.metrics.follow();
    const tracer = this.signals.tracers.current();
    const caller = context.active();
    // Without a tracer and a caller's context nothing tells two acquires apart: one object serves all.
    return tracer === undefined && caller === ROOT_CONTEXT
      ? this.untraced
      : new ObservedAcquire(this.signals, tracer, caller);
  }

  released(useMs: number): void {
    this.metrics.released(useMs);
  }

  connecting(cause: AcquireObserver | undefined): AttemptObserver {
    this.metrics.follow();
    return new ObservedAttempt(this.signals, cause instanceof ObservedAcquire ? cause : undefined);
  }

  closed(reason: CloseReason, ageMs: number, error?: unknown): void {
    this.metrics.follow();
    this.metrics.closed(reason);
    const { errorTypes, logs } = this.signals;
    const errorType = error === undefined ? undefined : errorTypes.of(error);
    logs.closed(reason, ageMs, errorType);
    if (FAULTS.has(reason)) logs.lost(reason, ageMs, errorType);
  }

  leakSuspected(heldMs: number, stack: string): void {
    this.signals.logs.leakSuspected(heldMs, stack);
  }

  leakReturned(heldMs: number): void {
    this.signals.logs.leakReturned(heldMs);
  }

  endForced(heldMs: readonly number[]): void {
    this.signals.logs.endForced(heldMs);
  }

  ended(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const { gauges, logs, saturation } = this.signals;
    saturation.stop();
    quietly(() => logs.ended(this.metrics.totals(), gauges));
    this.metrics.ended();
    this.signals.gauges = undefined;
    releasePoolName(this.poolName);
  }
}

class TracingAllObserver extends TelemetryObserver {
  override acquired(waitMs: number): void {
    super.acquired(waitMs);
    traceWarmAcquire(this.signals, waitMs);
  }
}

// The others are routine, the user's own decision, or told as a failed attempt.
const FAULTS: ReadonlySet<CloseReason> = new Set([
  'server_closed',
  'network',
  'timeout',
  'tx_open',
  'busy',
  'read_only',
]);
