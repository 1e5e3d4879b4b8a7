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

/** The running SDK of an application. */
export interface Telemetry extends AsyncDisposable {
  readonly meterProvider: MeterProvider;
  readonly tracerProvider: TracerProvider;
  /** The application's own tracer. */
  readonly tracer: Tracer;
  /** The reader for the demo's own display. */
  readonly reader: PoolReader;
  readonly spans: SpanCounter;
  /** Distinguishes this process from its replicas. */
  readonly instanceId: string;
  /** The URL for Prometheus to scrape. */
  readonly metricsUrl: string;
  /** Sets the handler of other requests to the server of `/metrics`. */
  readonly serve: (handler: Handler) => void;
  /** The OTLP endpoint, if any. */
  readonly otlpEndpoint: string | undefined;
}

const NAME = 'pgauge-demo';
const DEFAULT_EXPORT_INTERVAL_MS = 5_000;
// An unreachable collector must not delay the exit.
const FLUSH_TIMEOUT_MS = 2_000;

/**
 * Sets up metrics, traces and the query spans of instrumentation-pg; call it before anything loads `pg`. `warn` is
 * called once if an export fails. The default port is 9464 or the next free one; throws if a given port is taken.
 */
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
  // Requires a parent span, because the demo's own queries of pg_stat_activity are not part of the application.
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

// The reader itself does not read this variable.
function exportIntervalMs(): number {
  const given = Number(process.env['OTEL_METRIC_EXPORT_INTERVAL']);
  return given > 0 ? given : DEFAULT_EXPORT_INTERVAL_MS;
}

// Replicas collide without an instance ID, which the SDK does not set. OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME
// take precedence.
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
