import assert from 'node:assert/strict';
import type * as api from '@opentelemetry/api';
import type { AttributeValue, ContextManager, MeterProvider, TracerProvider } from '@opentelemetry/api';

/** One copy of the API. */
export type Api = typeof api;

/** A span that has ended, as in 1.30 and later. */
export interface ReadableSpan {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  // Named parentSpanId in SDK 1.30.
  readonly parentSpanId?: string;
  readonly parentSpanContext?: { readonly spanId: string };
  spanContext(): { readonly spanId: string };
}

interface Point {
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly value: number | { readonly count: number; readonly buckets: { readonly boundaries: number[] } };
}

/** The parts of the SDK that are used, whose classes have had these names since 1.30. */
export interface Sdk {
  readonly MetricReader: abstract new () => {
    collect(): Promise<{
      resourceMetrics: {
        scopeMetrics: {
          scope: { name: string };
          metrics: { descriptor: { name: string; unit: string }; dataPoints: Point[] }[];
        }[];
      };
    }>;
  };
  readonly MeterProvider: new (options: { readers: unknown[] }) => MeterProvider;
  readonly AsyncLocalStorageContextManager: new () => ContextManager;
  /** `BasicTracerProvider` before 3.0. */
  readonly TracerProvider: new (options: { spanProcessors: unknown[] }) => TracerProvider;
}

/** Loads the installed SDK; `tracePackage` contains its tracer provider. */
export async function loadSdk(tracePackage: string): Promise<Sdk> {
  const load = async (name: string): Promise<Record<string, unknown>> =>
    (await import(name)) as Record<string, unknown>;
  const traces = await load(tracePackage);
  return {
    ...(await load('@opentelemetry/sdk-metrics')),
    ...(await load('@opentelemetry/context-async-hooks')),
    ...traces,
    TracerProvider: traces['TracerProvider'] ?? traces['BasicTracerProvider'],
  } as unknown as Sdk;
}

/** A separate SDK: its providers, and the data they received. */
export function start(sdk: Sdk) {
  class Reader extends sdk.MetricReader {
    protected onForceFlush(): Promise<void> {
      return Promise.resolve();
    }
    protected onShutdown(): Promise<void> {
      return Promise.resolve();
    }
  }
  const reader = new Reader();
  const spans: ReadableSpan[] = [];
  const done = (): Promise<void> => Promise.resolve();
  // Our own class, because the constructors of the SDK's differ between 2.x and 3.x.
  const processor = {
    onStart: () => undefined,
    onEnd: (span: ReadableSpan) => void spans.push(span),
    forceFlush: done,
    shutdown: done,
  };
  const meterProvider = new sdk.MeterProvider({ readers: [reader] });
  const tracerProvider = new sdk.TracerProvider({ spanProcessors: [processor] });
  return {
    meterProvider,
    tracerProvider,
    spans,
    collect: async () => {
      const { resourceMetrics } = await reader.collect();
      const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      return new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
    },
  };
}
/** A running SDK. */
export type Started = ReturnType<typeof start>;

/** Makes an SDK the global one, through one copy of the API. */
export function register(through: Api, sdk: Sdk, { meterProvider, tracerProvider }: Started): void {
  const manager = new sdk.AsyncLocalStorageContextManager();
  assert.ok(
    through.context.setGlobalContextManager(manager.enable()),
    'a context manager is registered already',
  );
  assert.ok(through.trace.setGlobalTracerProvider(tracerProvider), 'a tracer provider is registered already');
  assert.ok(through.metrics.setGlobalMeterProvider(meterProvider), 'a meter provider is registered already');
}

/** Unregisters all globals. */
export function unregister(through: Api): void {
  through.metrics.disable();
  through.trace.disable();
  through.context.disable();
}
