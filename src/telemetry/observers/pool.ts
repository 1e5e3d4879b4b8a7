import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type {
  AcquireObserver,
  AttemptObserver,
  CancelReason,
  CloseReason,
  GivenQuery,
  Holder,
  PoolObserver,
  QuerySession,
  SessionHook,
  SessionObserver,
} from '../../observer.js';
import { quietly } from '../guard.js';
import { releasePoolName } from '../identity.js';
import { LOG } from '../logs/records.js';
import type { PoolMetrics } from '../metrics/pool-metrics.js';
import type { PoolQueries } from '../queries/pool-queries.js';
import { ObservedAcquire, traceWarmAcquire } from './acquire.js';
import { ObservedAttempt } from './attempt.js';
import type { Signals } from './signals.js';

/** Reports the events of one pool as metrics, spans and logs. */
export class TelemetryObserver implements PoolObserver {
  readonly session: ((session: QuerySession) => SessionObserver) | undefined;
  readonly measuresQueries: boolean;
  readonly #signals: Signals;
  readonly #metrics: PoolMetrics;
  readonly #poolName: string;
  readonly #queries: PoolQueries;
  readonly #untraced: ObservedAcquire;
  #hasEnded = false;

  constructor(signals: Signals, poolName: string, queries: PoolQueries) {
    this.session = queries.session;
    this.measuresQueries = queries.measures;
    this.#queries = queries;
    this.#signals = signals;
    this.#metrics = signals.metrics;
    this.#poolName = poolName;
    this.#untraced = new ObservedAcquire(signals, undefined, ROOT_CONTEXT);
  }

  acquired(waitMs: number): void {
    this.#metrics.acquired(waitMs);
  }

  acquireStarted(): AcquireObserver {
    this.#metrics.follow();
    const tracer = this.#signals.tracers.current();
    const caller = context.active();
    // Without a tracer and a caller's context all acquires are alike, so they share one object.
    return tracer === undefined && caller === ROOT_CONTEXT
      ? this.#untraced
      : new ObservedAcquire(this.#signals, tracer, caller);
  }

  released(useMs: number): void {
    this.#metrics.released(useMs);
  }

  connecting(cause: AcquireObserver | undefined): AttemptObserver {
    this.#metrics.follow();
    return new ObservedAttempt(this.#signals, cause instanceof ObservedAcquire ? cause : undefined);
  }

  closed(reason: CloseReason, ageMs: number, error?: unknown): void {
    this.#metrics.follow();
    this.#metrics.closed(reason);
    const { errorTypes, logs } = this.#signals;
    const errorType = error === undefined ? undefined : errorTypes.of(error);
    logs.closed(reason, ageMs, errorType);
    if (reason === 'tx_open') logs.discarded(LOG.releasedInTransaction, reason, ageMs);
    else if (reason === 'busy') logs.discarded(LOG.releasedBusy, reason, ageMs);
    else if (IS_LOSS[reason]) logs.lost(reason, ageMs, errorType);
  }

  unreachable(error: unknown): void {
    const { errorTypes, logs } = this.#signals;
    logs.unreachable(errorTypes.of(error));
  }

  reachable(outageMs: number): void {
    this.#signals.logs.reachable(outageMs);
  }

  sessionHook(hook: SessionHook, durationMs: number, error?: unknown): void {
    const errorType = error === undefined ? undefined : this.#signals.errorTypes.of(error);
    this.#metrics.sessionHook(hook, durationMs, errorType);
    if (errorType !== undefined) this.#signals.logs.sessionHookFailed(hook, durationMs, errorType);
  }

  queryCanceled(reason: CancelReason, query: GivenQuery, session: QuerySession, durationMs: number): void {
    this.#metrics.follow();
    this.#queries.canceled(reason, query, session, durationMs);
  }

  leakSuspected(heldMs: number, stack: string): void {
    this.#signals.logs.leakSuspected(heldMs, stack);
  }

  leakReturned(heldMs: number): void {
    this.#signals.logs.leakReturned(heldMs);
  }

  endWaiting(holders: readonly Holder[], pending: number): void {
    this.#signals.logs.endWaiting(holders, pending);
  }

  endForced(heldMs: readonly number[]): void {
    this.#signals.logs.endForced(heldMs);
  }

  ended(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { gauges, logs, saturation } = this.#signals;
    saturation.stop();
    quietly(() => logs.ended(this.#metrics.totals(), gauges));
    this.#metrics.ended();
    this.#signals.gauges = undefined;
    releasePoolName(this.#poolName);
  }
}

/** Also makes a span for each acquire that is served at once: `acquireSpan: 'always'`. */
export class TracingObserver extends TelemetryObserver {
  readonly #signals: Signals;

  constructor(signals: Signals, poolName: string, queries: PoolQueries) {
    super(signals, poolName, queries);
    this.#signals = signals;
  }

  override acquired(waitMs: number): void {
    super.acquired(waitMs);
    traceWarmAcquire(this.#signals, waitMs);
  }
}

/** The close reasons that are logged as a lost connection. */
const IS_LOSS: Readonly<Record<CloseReason, boolean>> = {
  server_closed: true,
  network: true,
  timeout: true,
  read_only: true,
  // Logged with their own messages.
  tx_open: false,
  busy: false,
  // Routine.
  idle: false,
  lifetime: false,
  max_uses: false,
  pool_end: false,
  // Closed by the application.
  released_with_error: false,
  // Logged as a failed connection attempt.
  hook: false,
  auth: false,
};
