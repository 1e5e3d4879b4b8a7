import { context, diag, DiagLogLevel, trace, type Tracer, type TracerProvider } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveMetrics, type Handler } from './metrics-endpoint.js';
import { PoolReader } from './pool-reader.js';
import { SpanCounter } from './span-counter.js';

/** The SDK of an application, running. */
export interface Telemetry extends AsyncDisposable {
  readonly meterProvider: MeterProvider;
  readonly tracerProvider: TracerProvider;
  /** The application's own. */
  readonly tracer: Tracer;
  /** Where the demo reads its own numbers. */
  readonly reader: PoolReader;
  readonly spans: SpanCounter;
  /** What tells this process from its replicas. */
  readonly instanceId: string;
  /** Where Prometheus scrapes. */
  readonly metricsUrl: string;
  /** Answers other requests to the server of `/metrics`. */
  readonly serve: (handler: Handler) => void;
  /** Where OTLP goes, if it is on. */
  readonly otlpEndpoint: string | undefined;
}

const NAME = 'pgauge-demo';
const DEFAULT_EXPORT_INTERVAL_MS = 5_000;
// A collector that is not there must not hold up the end.
const FLUSH_TIMEOUT_MS = 2_000;

/** Sets up metrics, traces and the query spans of instrumentation-pg; to be called before anything loads `pg`. `warn` hears once of an export that fails. Without a port it is 9464 or the next free one; throws when the given one is taken. */
export async function startTelemetry(
  port: number | undefined,
  warn: (line: string) => void,
): Promise<Telemetry> {
  const otlpEndpoint = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined;
  const endpoint = await serveMetrics(port);
  const resource = demoResource();
  reportOnce(otlpEndpoint, warn);
  const reader = new PoolReader();
  const meterProvider = new MeterProvider({
    resource,
    readers: [endpoint.reader, reader, ...(otlpEndpoint ? [otlpMetrics()] : [])],
  });
  const spans = new SpanCounter();
  const processors: SpanProcessor[] = [spans];
  if (otlpEndpoint) processors.push(new BatchSpanProcessor(new OTLPTraceExporter()));
  const tracerProvider = new BasicTracerProvider({ resource, spanProcessors: processors });

  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracerProvider);
  // Parents are required, for the demo's own looks at pg_stat_activity are no part of the application.
  const queries = new PgInstrumentation({ requireParentSpan: true });
  queries.setTracerProvider(tracerProvider);
  queries.setMeterProvider(meterProvider);

  return {
    meterProvider,
    tracerProvider,
    tracer: tracerProvider.getTracer(NAME),
    reader,
    spans,
    instanceId: String(resource.attributes['service.instance.id']),
    metricsUrl: endpoint.url,
    serve: endpoint.serve,
    otlpEndpoint,
    [Symbol.asyncDispose]: async () => {
      endpoint.close();
      const flushed = Promise.allSettled([meterProvider.shutdown(), tracerProvider.shutdown()]);
      await Promise.race([flushed, sleep(FLUSH_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

function otlpMetrics(): PeriodicExportingMetricReader {
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: exportIntervalMs(),
  });
}

// The reader itself does not look at it.
function exportIntervalMs(): number {
  const given = Number(process.env['OTEL_METRIC_EXPORT_INTERVAL']);
  return given > 0 ? given : DEFAULT_EXPORT_INTERVAL_MS;
}

// Replicas collide without an instance id, which the SDK does not set. What OTEL_RESOURCE_ATTRIBUTES and
// OTEL_SERVICE_NAME say wins.
function demoResource(): Resource {
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': NAME, 'service.instance.id': randomUUID() }))
    .merge(detectResources({ detectors: [envDetector] }));
}

function reportOnce(otlpEndpoint: string | undefined, warn: (line: string) => void): void {
  let said = false;
  const error = (): void => {
    if (said) return;
    said = true;
    warn(
      otlpEndpoint
        ? `OpenTelemetry reports an error; is a collector listening at ${otlpEndpoint}?`
        : 'OpenTelemetry reports an error',
    );
  };
  const ignore = (): void => undefined;
  diag.setLogger({ error, warn: ignore, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.ERROR);
}
