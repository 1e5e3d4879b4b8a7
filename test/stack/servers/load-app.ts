import { join } from 'node:path';
import type { QuerySource } from '../../../examples/load/args.js';
import type { Load } from '../../../examples/load/control.js';
import type { Truth } from '../../../examples/load/truth.js';
import type { TimeScale } from '../time/scale.js';
import { ServerProcess } from '../../support/server-process.js';

const ROOT = join(import.meta.dirname, '../../..');

/** The settings of an application under load. */
export interface LoadAppOptions {
  /** `service.instance.id`; default `app-1`, `app-2`, … */
  readonly instance?: string;
  /** Name of its pool; default `load`. */
  readonly pool?: string;
  /** Another host name of the server, so that the pool has two hosts. */
  readonly secondHost?: string;
  /** Maximum number of connections; default 10. */
  readonly maxConns?: number;
  /** Minimum number of connections; default 2. */
  readonly minConns?: number;
  /** Number of workers at the start; default 6. */
  readonly clients?: number;
  /** Lifetime of a connection in seconds; default 10, so that there are logins all the time. */
  readonly maxLifetimeS?: number;
  /** Seconds that a request waits for a connection; default 5. */
  readonly acquireTimeoutS?: number;
  /** Maximum number of requests that wait for a connection, 0 for no limit; default 0. */
  readonly maxPending?: number;
  /** Maximum number of queries that share a connection; default 0, no sharing. */
  readonly pipelining?: number;
  /** Where it exports to; default the stack's collector. */
  readonly otlpUrl?: string;
  /** Whether pgauge or instrumentation-pg measures the queries; default `pgauge`. */
  readonly queries?: QuerySource;
}

/** The addresses and files that an application needs. */
export interface LoadAppSurroundings {
  readonly otlpUrl: string;
  readonly connectionFile: string;
  readonly credentialsUrl: string;
  readonly service: string;
  readonly scale: TimeScale;
}

/** `npm run demo:load` in a separate process. */
export class LoadApp implements AsyncDisposable {
  readonly instance: string;
  readonly pool: string;
  /** The URL of its own Prometheus exporter. */
  readonly metricsUrl: string;
  readonly process: ServerProcess;
  readonly #controlUrl: string;

  private constructor(
    { instance, pool }: { instance: string; pool: string },
    process: ServerProcess,
    { metricsUrl, controlUrl }: { metricsUrl: string; controlUrl: string },
  ) {
    this.instance = instance;
    this.pool = pool;
    this.process = process;
    this.metricsUrl = metricsUrl;
    this.#controlUrl = controlUrl;
  }

  static async start(
    options: LoadAppOptions & { readonly instance: string },
    surroundings: LoadAppSurroundings,
  ): Promise<LoadApp> {
    const { instance, pool = 'load' } = options;
    const { scale, service } = surroundings;
    const flags = {
      'pool-name': pool,
      ...(options.secondHost === undefined ? {} : { 'second-host': options.secondHost }),
      'max-conns': options.maxConns ?? 10,
      'min-conns': options.minConns ?? 2,
      clients: options.clients ?? 6,
      'max-lifetime': options.maxLifetimeS ?? 10,
      'acquire-timeout': options.acquireTimeoutS ?? 5,
      'max-pending': options.maxPending ?? 0,
      pipelining: options.pipelining ?? 0,
      queries: options.queries ?? 'pgauge',
      'control-port': 0,
    };
    const process_ = new ServerProcess(`application ${instance}`, {
      program: process.execPath,
      args: [
        ...['--import', 'tsx', 'examples/load/main.ts'],
        ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
      ],
      cwd: ROOT,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl ?? surroundings.otlpUrl,
        OTEL_METRIC_EXPORT_INTERVAL: String(scale.intervalMs),
        OTEL_BSP_SCHEDULE_DELAY: String(scale.intervalMs),
        OTEL_SERVICE_NAME: service,
        OTEL_RESOURCE_ATTRIBUTES: `service.instance.id=${instance}`,
        LOCAL_RDS_CONNECTION: surroundings.connectionFile,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: surroundings.credentialsUrl,
      },
    });
    try {
      const ready = await process_.until(() => /^\{.*\}$/m.exec(process_.output)?.[0]);
      return new LoadApp(
        { instance, pool },
        process_,
        JSON.parse(ready) as { metricsUrl: string; controlUrl: string },
      );
    } catch (error) {
      await process_.stop();
      throw error;
    }
  }

  /** The application's current numbers, from itself. */
  async stat(): Promise<Truth> {
    return await this.#call('GET', '/stat');
  }

  /** Changes its load from now on; returns its numbers at that moment. */
  async load(load: Partial<Load>): Promise<Truth> {
    return await this.#call('POST', '/load', load);
  }

  /** Ends it with SIGTERM, as an orchestrator would. */
  async stop(): Promise<void> {
    await this.process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #call(method: string, path: string, body?: object): Promise<Truth> {
    const response = await fetch(this.#controlUrl + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new Error(`application ${this.instance} does not answer:\n${this.process.output}`, {
        cause: error,
      });
    });
    if (!response.ok) throw new Error(`application ${this.instance}: ${await response.text()}`);
    return (await response.json()) as Truth;
  }
}
