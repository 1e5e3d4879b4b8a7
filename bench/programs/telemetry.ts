// The OpenTelemetry SDK as an application sets it up, but without exporting anything.
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
} from '@opentelemetry/sdk-trace-base';

/** Discards the spans it receives. */
class Nowhere extends InMemorySpanExporter {
  override export(...given: Parameters<InMemorySpanExporter['export']>): void {
    super.export(...given);
    this.reset();
  }
}

/** A meter provider that is read once a minute. */
export function newMeterProvider(): MeterProvider {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
  return new MeterProvider({ readers: [reader] });
}

/** Sets the global meter provider. */
export function registerMetrics(): void {
  metrics.setGlobalMeterProvider(newMeterProvider());
}

/** Propagates contexts through asynchronous calls, which every tracing set-up needs. */
export function registerContext(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

/** Sets the global tracer provider, which samples all spans or none. */
export function registerTraces(sampled: boolean): void {
  registerContext();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      sampler: sampled ? new AlwaysOnSampler() : new AlwaysOffSampler(),
      spanProcessors: [new BatchSpanProcessor(new Nowhere())],
    }),
  );
}
