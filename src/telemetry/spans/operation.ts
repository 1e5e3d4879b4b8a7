import type { Attributes, AttributeValue, Context, Span, Tracer, TracerProvider } from '@opentelemetry/api';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { quietly } from '../guard.js';
import { ATTR, SCOPE } from '../names.js';

/** Where spans go; unset: the global tracer provider, also one registered later. */
export interface TracerOptions {
  readonly tracer?: Tracer | undefined;
  readonly tracerProvider?: TracerProvider | undefined;
}

/** Gives the tracer of one pool. */
export class TracerSource {
  private readonly followsGlobal: boolean;
  private provider: TracerProvider | undefined;
  private tracer: Tracer | undefined;

  constructor({ tracer, tracerProvider }: TracerOptions) {
    this.followsGlobal = tracer === undefined && tracerProvider === undefined;
    if (!this.followsGlobal)
      this.tracer =
        tracer ??
        quietly(() => tracerProvider?.getTracer(SCOPE.name, SCOPE.version, { schemaUrl: SCOPE.schemaUrl }));
  }

  /** The tracer to use now, `undefined` while no SDK is registered. */
  current(): Tracer | undefined {
    if (!this.followsGlobal) return this.tracer;
    const registered: ProxyProvider = trace.getTracerProvider();
    // Registration changes what the proxy stands for, not the proxy.
    const provider = typeof registered.getDelegate === 'function' ? registered.getDelegate() : registered;
    if (provider !== this.provider) {
      this.provider = provider;
      this.tracer = quietly(() => tracerOf(registered));
    }
    return this.tracer;
  }
}

/**
 * The clock of an acquire and all below it: the wall clock is read once and the monotonic one from then on, so that no
 * child sticks out of its parent.
 */
export class SpanClock {
  private readonly startedAt: number;
  private readonly startedMonotonic = performance.now();

  constructor(agoMs = 0) {
    this.startedAt = Date.now() - agoMs;
    this.startedMonotonic -= agoMs;
  }

  /** Milliseconds since the Unix epoch at which it started. */
  start(): number {
    return this.startedAt;
  }

  /** Milliseconds since the Unix epoch now. */
  now(): number {
    return this.startedAt + performance.now() - this.startedMonotonic;
  }
}

/** One span and the context in which it is active; without a tracer a context only. */
export class Operation {
  /** The context for what runs inside. */
  readonly context: Context;
  private span: Span | undefined;

  private constructor(
    span: Span | undefined,
    parent: Context,
    private readonly clock: SpanClock,
  ) {
    this.span = span;
    this.context = span === undefined ? parent : trace.setSpan(parent, span);
  }

  /** Starts a span below `parent`, now or at `startTime` in milliseconds since the Unix epoch. */
  static start(
    tracer: Tracer | undefined,
    name: string,
    parent: Context,
    clock: SpanClock,
    {
      kind = SpanKind.INTERNAL,
      attributes = {},
      startTime = clock.now(),
    }: { kind?: SpanKind; attributes?: Attributes; startTime?: number } = {},
  ): Operation {
    const span = tracer && quietly(() => tracer.startSpan(name, { kind, attributes, startTime }, parent));
    return new Operation(span, parent, clock);
  }

  /** True if attributes that cost something to find are worth finding. */
  isRecording(): boolean {
    return quietly(() => this.span?.isRecording()) ?? false;
  }

  set(key: string, value: AttributeValue): void {
    quietly(() => this.span?.setAttribute(key, value));
  }

  rename(name: string): void {
    quietly(() => this.span?.updateName(name));
  }

  /** Runs `run` with the span active. */
  run<T>(run: () => T): T {
    return context.with(this.context, run);
  }

  /** Ends the span; `errorType` if the operation failed. No text: a description or an event could carry a secret. */
  end(errorType?: string): void {
    const { span } = this;
    this.span = undefined;
    if (span === undefined) return;
    quietly(() => {
      if (errorType !== undefined) {
        span.setAttribute(ATTR.errorType, errorType);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
    });
    quietly(() => span.end(this.clock.now()));
  }
}

/** The context active inside `operation`, where it is; else the operation's own. */
export function innermost(operation: Operation): Context {
  const active = context.active();
  const [mine, theirs] = [trace.getSpanContext(operation.context), trace.getSpanContext(active)];
  return mine !== undefined && mine.traceId === theirs?.traceId ? active : operation.context;
}

/** What the API registers in place of a provider; told by its methods, since it may be another copy's class. */
interface ProxyProvider extends TracerProvider {
  getDelegate?(): TracerProvider;
  getDelegateTracer?(name: string, version?: string, options?: { schemaUrl?: string }): Tracer | undefined;
}

/** The provider's tracer; `undefined` from a proxy that stands for none. */
function tracerOf(provider: ProxyProvider): Tracer | undefined {
  const options = { schemaUrl: SCOPE.schemaUrl };
  return typeof provider.getDelegateTracer === 'function'
    ? provider.getDelegateTracer(SCOPE.name, SCOPE.version, options)
    : provider.getTracer(SCOPE.name, SCOPE.version, options);
}
