import { join } from 'node:path';
import { otelcol } from '../tools/otelcol.js';
import { duration, type TimeScale } from '../time/scale.js';
import { freePorts } from '../../support/free-ports.js';
import { answers, ServerProcess } from '../../support/server-process.js';

/** The shipped configuration. */
export const COLLECTOR_CONFIG = join(import.meta.dirname, '../../../otel-collector.yaml');

/** A running collector. */
export interface Collector extends AsyncDisposable {
  /** The address to which applications export: the value of OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly otlpUrl: string;
  readonly otlpPort: number;
  /** `host:port` that Prometheus scrapes. */
  readonly scrapeAddress: string;
  /** `host:port` of its own metrics. */
  readonly selfAddress: string;
  readonly process: ServerProcess;
}

/** Starts the collector with the shipped configuration; it forwards spans to `tracesEndpoint` (`host:port`). */
export async function startCollector(tracesEndpoint: string, scale: TimeScale): Promise<Collector> {
  const program = await otelcol();
  const [grpc, http, scrape, health, self] = (await freePorts(5)) as [number, number, number, number, number];
  const at = (port: number): string => `127.0.0.1:${port}`;
  const collector = new ServerProcess('collector', {
    program,
    args: ['--config', COLLECTOR_CONFIG],
    env: {
      OTLP_GRPC_ADDRESS: at(grpc),
      OTLP_HTTP_ADDRESS: at(http),
      PROMETHEUS_ADDRESS: at(scrape),
      HEALTH_ADDRESS: at(health),
      SELF_METRICS_HOST: '127.0.0.1',
      SELF_METRICS_PORT: String(self),
      TRACES_ENDPOINT: tracesEndpoint,
      METRIC_EXPIRATION: duration(scale.expirationMs),
      SPAN_METRICS_INTERVAL: duration(scale.intervalMs),
    },
  });
  try {
    await collector.until(() => answers(`http://${at(health)}`));
  } catch (error) {
    await collector.stop();
    throw error;
  }
  return {
    otlpUrl: `http://${at(http)}`,
    otlpPort: http,
    scrapeAddress: at(scrape),
    selfAddress: at(self),
    process: collector,
    [Symbol.asyncDispose]: () => collector.stop(),
  };
}
