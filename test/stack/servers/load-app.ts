import { join } from 'node:path';
import type { QuerySource } from '../../../examples/load/args.js';
import type { Load } from '../../../examples/load/control.js';
import type { Truth } from '../../../examples/load/truth.js';
import type { TimeScale } from '../time/scale.js';
import { ServerProcess } from '../../support/server-process.js';

const ROOT = join(import.meta.dirname, '../../..');

/** How an application under load is started. */
export interface LoadAppOptions {
  /** `service.instance.id`; default `app-1`, `app-2`, … */
  readonly instance?: string;
  /** Name of its pool; default `load`. */
  readonly pool?: string;
  /** Another name of the server, which makes two hosts of it. */
  readonly secondHost?: string;
  /** Most connections; default 10. */
  readonly maxConns?: number;
  /** Least connections; default 2. */
  readonly minConns?: number;
  /** Workers from the start; default 6. */
  readonly clients?: number;
  /** Seconds that a connection lives; default 10, so that there are logins all the time. */
  readonly maxLifetimeS?: number;
  /** Seconds that a request waits for a connection; default 5. */
  readonly acquireTimeoutS?: number;
  /** Most requests that wait for a connection, 0 for any number; default 0. */
  readonly maxPending?: number;
  /** Queries that share a connection; default 0, none. */
  readonly pipelining?: number;
  /** Where it exports to; default the stack's collector. */
  readonly otlpUrl?: string;
  /** Who measures the queries; default `pgauge`. */
  readonly queries?: QuerySource;
}

/** Where an application finds everything. */
export interface LoadAppSurroundings {
  readonly otlpUrl: string;
  readonly connectionFile: string;
  readonly credentialsUrl: string;
  readonly service: string;
  readonly scale: TimeScale;
}

/** `npm run demo:load` in a process of its own. */
export class LoadApp implements AsyncDisposable {
  readonly instance: string;
  readonly pool: string;
  /** What its own Prometheus exporter serves. */
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

  /** What the application itself knows now. */
  async stat(): Promise<Truth> {
    return await this.#call('GET', '/stat');
  }

  /** Changes what it does, from now on; gives what it knows then. */
  async load(load: Partial<Load>): Promise<Truth> {
    return await this.#call('POST', '/load', load);
  }

  /** Ends it as an orchestrator would, with SIGTERM. */
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
