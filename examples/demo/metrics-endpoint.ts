import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';
/** Where Prometheus exporters of OpenTelemetry are expected. */
const DEFAULT_PORT = 9464;
/** How many ports after it are tried: enough for demos side by side. */
const MORE_PORTS = 20;

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
  if (port === undefined) await listenFrom(server, DEFAULT_PORT);
  else await listen(server, port);
  server.unref();
  return {
    reader,
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/metrics`,
    serve: (handler) => (others = handler),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function listenFrom(server: Server, first: number): Promise<void> {
  for (let port = first; port < first + MORE_PORTS; port += 1) {
    try {
      await listen(server, port);
      return;
    } catch (error) {
      const { code } = (error as { cause: NodeJS.ErrnoException }).cause;
      if (code !== 'EADDRINUSE') throw error;
    }
  }
  await listen(server, 0);
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, HOST);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const why =
      { EADDRINUSE: 'is taken', EACCES: 'is for privileged users' }[code] ?? `cannot be used (${message})`;
    throw new Error(
      `port ${port} on ${HOST}, where /metrics was to be served, ${why}; give another with --metrics-port <n>, or 0 for any free one`,
      { cause },
    );
  }
}
