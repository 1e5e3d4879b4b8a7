import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from '../../src/watch/listen.js';

/** The usual port of OpenTelemetry's Prometheus exporters. */
const DEFAULT_PORT = 9464;

/** Handles an HTTP request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A running `/metrics`. */
export interface MetricsEndpoint {
  /** The reader for the MeterProvider. */
  readonly reader: PrometheusExporter;
  readonly url: string;
  /** Sets the handler of requests for other paths than `/metrics`. */
  serve(handler: Handler): void;
  close(): void;
}

/**
 * Serves `/metrics` on loopback at `port`, by default 9464 or the next free port. If it cannot, throws an error that
 * names the port and the option.
 */
export async function serveMetrics(port: number | undefined): Promise<MetricsEndpoint> {
  // The exporter's own server replaces port 0 with its default.
  const reader = new PrometheusExporter({ preventServerStart: true });
  let others: Handler = (_, response) => response.writeHead(404).end('see /metrics\n');
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] === '/metrics') reader.getMetricsRequestHandler(request, response);
    else others(request, response);
  });
  const place = { port, from: DEFAULT_PORT, serves: '/metrics', option: '--metrics-port' };
  const origin = await listenOnLoopback(server, place);
  server.unref();
  return {
    reader,
    url: `${origin}/metrics`,
    serve: (handler) => (others = handler),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
