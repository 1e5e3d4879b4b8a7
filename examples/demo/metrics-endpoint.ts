import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';

/** A running `/metrics`. */
export interface MetricsEndpoint {
  /** The reader to give to the MeterProvider. */
  readonly reader: PrometheusExporter;
  readonly url: string;
  close(): void;
}

/** Serves `/metrics` on loopback; throws an error that names the port and the option when it cannot. */
export async function serveMetrics(port: number): Promise<MetricsEndpoint> {
  // The exporter's own server takes port 0 for its default.
  const reader = new PrometheusExporter({ preventServerStart: true });
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] === '/metrics') reader.getMetricsRequestHandler(request, response);
    else response.writeHead(404).end('see /metrics\n');
  });
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
  server.unref();
  return {
    reader,
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/metrics`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
