import type { Attributes, AttributeValue, Context, Span, Tracer } from '@opentelemetry/api';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { quietly } from '../guard.js';
import { ATTR } from '../names.js';
import type { SpanClock } from './clock.js';

/** One span and the context in which it is active; without a tracer only a context. */
export class Operation {
  readonly #clock: SpanClock;
  readonly #parent: Context;
  readonly #own: Span | undefined;
  /** Unset once the span has ended. */
  #span: Span | undefined;
  #context: Context | undefined;

  /** Starts a span as a child of `parent`, now or at `startTime` in milliseconds since the Unix epoch. */
  constructor(
    tracer: Tracer | undefined,
    name: string,
    parent: Context,
    clock: SpanClock,
    {
      kind = SpanKind.INTERNAL,
      attributes = {},
      startTime = clock.now(),
    }: { kind?: SpanKind; attributes?: Attributes; startTime?: number } = {},
  ) {
    const span = tracer && quietly(() => tracer.startSpan(name, { kind, attributes, startTime }, parent));
    this.#clock = clock;
    this.#parent = parent;
    this.#own = span;
    this.#span = span;
  }

  /** The context for code that runs inside the span; made on first use, since most spans of queries need none. */
  get context(): Context {
    return (this.#context ??=
      this.#own === undefined ? this.#parent : trace.setSpan(this.#parent, this.#own));
  }

  /** Whether the span is recorded; if not, there is no need to compute attributes. */
  isRecording(): boolean {
    try {
      return this.#span?.isRecording() ?? false;
    } catch {
      return false;
    }
  }

  set(key: string, value: AttributeValue): void {
    quietly(() => this.#span?.setAttribute(key, value));
  }

  rename(name: string): void {
    quietly(() => this.#span?.updateName(name));
  }

  /** Calls `run` with the span active. */
  run<T>(run: () => T): T {
    return context.with(this.context, run);
  }

  /**
   * Ends the span, with the attributes known by now and the type of the error if it failed, but never the error's text, which
   * could contain a secret.
   */
  end(errorType?: string, attributes?: Attributes): void {
    const span = this.#span;
    this.#span = undefined;
    if (span === undefined) return;
    // Not `quietly`, whose closures would add to the cost of a query's span.
    try {
      if (attributes !== undefined) span.setAttributes(attributes);
      if (errorType !== undefined) {
        span.setAttribute(ATTR.errorType, errorType);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
    } catch {
      // A span whose attributes cannot be set must still end.
    }
    try {
      span.end(this.#clock.now());
    } catch {
      // A tracer that throws must not fail the operation.
    }
  }
}

/** The active context if it belongs to the operation's trace, else the operation's own context. */
export function innermost(operation: Operation): Context {
  const active = context.active();
  const [own, current] = [trace.getSpanContext(operation.context), trace.getSpanContext(active)];
  return own !== undefined && own.traceId === current?.traceId ? active : operation.context;
}
