import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { createDenyListAttributesProcessor, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** A span as it was exported. */
export interface ToldSpan {
  readonly name: string;
  readonly scope: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A series as it was collected; for a histogram, its count. */
export interface ToldSeries {
  readonly name: string;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
}

/** All telemetry that an app's SDK received. */
export interface Told {
  readonly spans: readonly ToldSpan[];
  readonly series: readonly ToldSeries[];
}

class ManualReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** Registers the SDK and the instrumentation of pg; returns a function that reads their telemetry. */
export function register(options: { denyOperationName?: boolean } = {}): () => Promise<Told> {
  const exporter = new InMemorySpanExporter();
  const reader = new ManualReader();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  const views =
    options.denyOperationName === true
      ? [
          {
            instrumentName: 'db.client.operation.duration',
            attributesProcessors: [createDenyListAttributesProcessor(['db.operation.name'])],
          },
        ]
      : [];
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader], views }));
  const instrumentation = new PgInstrumentation();
  instrumentation.setTracerProvider(trace.getTracerProvider());
  instrumentation.setMeterProvider(metrics.getMeterProvider());
  instrumentation.enable();

  return async () => {
    const { resourceMetrics } = await reader.collect();
    return {
      spans: exporter.getFinishedSpans().map((span) => ({
        name: span.name,
        scope: span.instrumentationScope.name,
        id: span.spanContext().spanId,
        parent: span.parentSpanContext?.spanId,
        attributes: span.attributes,
      })),
      series: resourceMetrics.scopeMetrics.flatMap(({ scope, metrics: found }) =>
        found.flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => ({
            name: descriptor.name,
            scope: scope.name,
            attributes,
            value: typeof value === 'number' ? value : value.count,
          })),
        ),
      ),
    };
  };
}
