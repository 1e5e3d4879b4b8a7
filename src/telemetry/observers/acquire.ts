import type { Context, Tracer } from '@opentelemetry/api';
import { context } from '@opentelemetry/api';
import type { AcquireObserver, AcquireReason } from '../../observer.js';
import { isPoolEnded } from '../error-type.js';
import { quietly } from '../guard.js';
import { ATTR, ERROR_TYPE, SPAN } from '../names.js';
import { SpanClock } from '../spans/clock.js';
import { Operation } from '../spans/operation.js';
import type { Signals } from './signals.js';

/** One acquire that could not be served at once. */
export class ObservedAcquire implements AcquireObserver {
  /** The clock shared by the acquire's span and its descendants; unset without a tracer. */
  readonly clock: SpanClock | undefined;
  readonly #signals: Signals;
  readonly #tracer: Tracer | undefined;
  readonly #caller: Context;
  #operation: Operation | undefined;

  constructor(signals: Signals, tracer: Tracer | undefined, caller: Context) {
    this.clock = tracer && new SpanClock();
    this.#signals = signals;
    this.#tracer = tracer;
    this.#caller = caller;
  }

  /** The parent context of attempts made for this acquire: that of its own span, or its caller's if it has no span. */
  get context(): Context {
    return this.#operation?.context ?? this.#caller;
  }

  waiting(reason: AcquireReason): void {
    this.#signals.saturation.waiting();
    if (this.#signals.acquireSpan !== 'never') this.#start(reason);
  }

  acquired(waitMs: number): void {
    this.#signals.metrics.waited(waitMs);
    this.#signals.saturation.waited();
    if (this.#signals.acquireSpan === 'always') this.#start();
    this.#operation?.end();
  }

  failed(waitMs: number, error: unknown): void {
    const { errorTypes, logs, metrics, saturation, acquireSpan, gauges } = this.#signals;
    const type = errorTypes.of(error);
    metrics.waited(waitMs, type);
    if (isPoolEnded(error)) saturation.stop();
    else saturation.waited();
    if (acquireSpan === 'always') this.#start();
    if (type === ERROR_TYPE.acquireTimeout) {
      quietly(() => context.with(this.context, () => logs.acquireTimedOut(waitMs, gauges)));
    }
    this.#operation?.end(type);
  }

  #start(reason?: AcquireReason): void {
    if (this.clock === undefined || this.#operation !== undefined) return;
    this.#operation = startAcquireSpan(this.#signals, this.#tracer, this.#caller, this.clock, reason);
  }
}

/** Reports an acquire that was served at once as a span; only with `acquireSpan: 'always'`. */
export function traceWarmAcquire(signals: Signals, waitMs: number): void {
  const tracer = signals.tracers.current();
  if (tracer !== undefined) startAcquireSpan(signals, tracer, context.active(), new SpanClock(waitMs)).end();
}

function startAcquireSpan(
  signals: Signals,
  tracer: Tracer | undefined,
  caller: Context,
  clock: SpanClock,
  reason?: AcquireReason,
): Operation {
  const attributes = {
    ...signals.spanAttributes,
    ...(reason !== undefined && { [ATTR.acquireReason]: reason }),
  };
  const operation = new Operation(tracer, SPAN.acquire, caller, clock, {
    attributes,
    startTime: clock.start(),
  });
  const { gauges } = signals;
  if (gauges !== undefined && operation.isRecording()) {
    quietly(() => {
      operation.set(ATTR.poolUsed, gauges.used);
      operation.set(ATTR.poolIdle, gauges.idle);
      operation.set(ATTR.poolConnecting, gauges.connecting);
      operation.set(ATTR.poolPending, gauges.pending);
      operation.set(ATTR.poolLimit, gauges.limit);
    });
  }
  return operation;
}
