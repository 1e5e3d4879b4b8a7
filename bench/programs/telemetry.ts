// The OpenTelemetry SDK as an application sets it up, with nowhere to export to.
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

/** Takes spans and forgets them. */
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

/** Makes a meter provider the global one. */
export function registerMetrics(): void {
  metrics.setGlobalMeterProvider(newMeterProvider());
}

/** Makes contexts follow asynchronous calls, which every tracing set-up needs. */
export function registerContext(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

/** Makes a tracer provider the global one, with all spans sampled or none. */
export function registerTraces(sampled: boolean): void {
  registerContext();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      sampler: sampled ? new AlwaysOnSampler() : new AlwaysOffSampler(),
      spanProcessors: [new BatchSpanProcessor(new Nowhere())],
    }),
  );
}
