import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { otelcol } from '../tools/otelcol.js';
import { freePorts } from '../../support/free-ports.js';
import { answers, ServerProcess } from '../../support/server-process.js';

type Value = Readonly<Record<string, unknown>>;

/** A span as the collector exported it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

interface Attribute {
  readonly key: string;
  readonly value: Value;
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes?: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name?: string };
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly attributes?: readonly Attribute[];
      }[];
    }[];
  }[];
}

const MOST_SPANS = 50_000;
const CONFIG = join(import.meta.dirname, 'trace-backend.yaml');

/** Takes the place of Tempo: receives OTLP over gRPC and keeps the spans of the last minutes. */
export class TraceBackend implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  /** `host:port` for the collector's TRACES_ENDPOINT. */
  readonly endpoint: string;
  readonly #server;
  readonly #process: ServerProcess;

  private constructor(server: ReturnType<typeof createServer>, endpoint: string, process: ServerProcess) {
    this.#server = server;
    this.endpoint = endpoint;
    this.#process = process;
  }

  static async start(): Promise<TraceBackend> {
    const program = await otelcol();
    const server = createServer((request, response) => {
      void json(request).then((body) => {
        backend.#take(body as Export);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const [grpc, health] = (await freePorts(2)) as [number, number];
    const endpoint = `127.0.0.1:${grpc}`;
    const process = new ServerProcess('trace backend', {
      program,
      args: ['--config', CONFIG],
      env: {
        TRACES_ADDRESS: endpoint,
        TEST_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        HEALTH_ADDRESS: `127.0.0.1:${health}`,
      },
    });
    const backend = new TraceBackend(server, endpoint, process);
    try {
      await process.until(() => answers(`http://127.0.0.1:${health}`));
    } catch (error) {
      await backend[Symbol.asyncDispose]();
      throw error;
    }
    return backend;
  }

  /** The spans of one trace. */
  trace(traceId: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take({ resourceSpans }: Export): void {
    for (const { resource, scopeSpans } of resourceSpans)
      for (const { scope, spans } of scopeSpans)
        for (const { attributes, parentSpanId, traceId, spanId, name } of spans)
          this.spans.push({
            ...{ traceId, spanId, name, parentSpanId: parentSpanId || undefined },
            scope: scope.name ?? '',
            attributes: plain(attributes),
            resource: plain(resource.attributes),
          });
    this.spans.splice(0, Math.max(0, this.spans.length - MOST_SPANS));
  }
}

// Each value is an object whose only key is its type.
function plain(attributes: readonly Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
