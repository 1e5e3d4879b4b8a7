import { type Context, context } from '@opentelemetry/api';
import { sqlState } from '../../foreign-error.js';
import type { CancelReason, GivenQuery, QueryObserver, QuerySession } from '../../observer.js';
import { quietly } from '../guard.js';
import type { Operation } from '../spans/operation.js';
import { type QuerySignals, STOPPED } from './signals.js';
import { endQuerySpan, startQuerySpan, wantsSpan } from './span.js';
import type { Statement } from './statements.js';
import type { Target } from './targets.js';

/** One query, from its call to its end. */
export class ObservedQuery implements QueryObserver {
  readonly comment: string = '';
  readonly #signals: QuerySignals;
  readonly #session: QuerySession;
  readonly #target: Target;
  readonly #statement: Statement;
  /** Its caller's context; unset if not needed. */
  readonly #caller: Context | undefined;
  readonly #operation: Operation | undefined;
  readonly #startedMs = performance.now();

  constructor(signals: QuerySignals, session: QuerySession, target: Target, query: GivenQuery) {
    this.#signals = signals;
    this.#session = session;
    this.#target = target;
    this.#statement = signals.statements.of(query);
    if (!signals.needsContext) return;

    const { settings } = signals;
    const caller = context.active();
    const tracer = wantsSpan(settings.spans, caller) ? signals.tracers.current() : undefined;
    if (tracer !== undefined)
      this.#operation = startQuerySpan(tracer, caller, query, this.#statement, target, settings.text);
    this.#caller = caller;
    if (settings.comment !== false)
      this.comment = signals.comments.of(this.#statement, query, this.#contextIn(caller));
  }

  completed(rows: number | undefined): void {
    const { settings, metrics } = this.#signals;
    const durationMs = performance.now() - this.#startedMs;
    if (settings.metrics || settings.rows) {
      const { answered } = this.#target.series(this.#statement.summary);
      if (settings.metrics) metrics.queried(durationMs, answered);
      if (settings.rows && rows !== undefined) metrics.returned(rows, answered);
    }
    this.#logIfSlow(durationMs, rows, undefined);
    if (this.#operation !== undefined)
      endQuerySpan(this.#operation, this.#session, rows, undefined, undefined);
  }

  failed(error: unknown): void {
    this.#fail(this.#signals.errorTypes.of(error), sqlState(error), true);
  }

  canceled(reason: CancelReason): void {
    // Stopped queries have a separate log record.
    this.#fail(STOPPED[reason], undefined, false);
  }

  #fail(errorType: string, status: string | undefined, isLogged: boolean): void {
    const { settings, metrics } = this.#signals;
    const durationMs = performance.now() - this.#startedMs;
    if (settings.metrics) {
      const series = this.#target.series(this.#statement.summary);
      // The status code is bounded with the error type: once that is `_OTHER`, the code is left out.
      metrics.queried(durationMs, series.failed(errorType, status === errorType ? status : undefined));
    }
    if (isLogged) this.#logIfSlow(durationMs, undefined, errorType);
    if (this.#operation !== undefined)
      endQuerySpan(this.#operation, this.#session, undefined, errorType, status);
  }

  #logIfSlow(durationMs: number, rows: number | undefined, errorType: string | undefined): void {
    const { slowQueryMs, logs } = this.#signals;
    if (slowQueryMs === 0 || durationMs < slowQueryMs || this.#caller === undefined) return;
    const caller = this.#contextIn(this.#caller);
    const { pid } = this.#session;
    const query = { durationMs, summary: this.#statement.summary.text, pid };
    quietly(() => context.with(caller, () => logs.slowQuery(query, rows, errorType)));
  }

  /** The context of its span if it has one, else its caller's. */
  #contextIn(caller: Context): Context {
    return this.#operation?.context ?? caller;
  }
}
