import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from '../../src/watch/listen.js';

/** Where Prometheus exporters of OpenTelemetry are expected. */
const DEFAULT_PORT = 9464;

/** Answers a request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A running `/metrics`. */
export interface MetricsEndpoint {
  /** The reader to give to the MeterProvider. */
  readonly reader: PrometheusExporter;
  readonly url: string;
  /** From now on, answers the requests that are not for `/metrics`. */
  serve(handler: Handler): void;
  close(): void;
}

/** Serves `/metrics` on loopback: at `port`, or without one at 9464 or the next free port. Throws an error that names the port and the option when it cannot. */
export async function serveMetrics(port: number | undefined): Promise<MetricsEndpoint> {
  // The exporter's own server takes port 0 for its default.
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
