import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveCredentials } from '../../examples/demo/sources/credential-endpoint.js';
import { startLocalRds, type LocalRds } from '../../local-rds/index.js';
import { startCollector, type Collector } from './servers/collector.js';
import { CuttablePath } from '../support/cuttable-path.js';
import { Faults, HEALTHY_LIFETIME_MS } from './servers/faults.js';
import { LoadApp, type LoadAppOptions } from './servers/load-app.js';
import { startPrometheus, type Prometheus } from './servers/prometheus.js';
import { TraceBackend } from './servers/trace-backend.js';
import { timeScale, type TimeScale } from './time/scale.js';
import type { PrometheusChoice } from './tools/prometheus.js';

/** `service.name` of the applications, and therefore their label `job`. */
export const SERVICE = 'pgauge-demo';

/** Everything that `docker compose up` starts except Grafana, as processes on loopback. */
export interface Stack extends AsyncDisposable {
  /** Unix time in seconds. */
  readonly startedAtS: number;
  readonly scale: TimeScale;
  readonly rds: LocalRds;
  readonly collector: Collector;
  readonly prometheus: Prometheus;
  readonly traces: TraceBackend;
  readonly faults: Faults;
  /** The running applications, oldest first. */
  readonly apps: readonly LoadApp[];
  /** The first application. */
  readonly app: LoadApp;
  /** Starts another application; the stack stops it unless it was stopped before. */
  startApp(options?: LoadAppOptions): Promise<LoadApp>;
}

/** The settings of a stack. */
export interface StackOptions {
  /** How many times faster than real time the stack runs; default 30. */
  readonly factor?: number;
  /** Default `installed`. */
  readonly prometheus?: PrometheusChoice;
  /** Settings of the first application. */
  readonly app?: LoadAppOptions;
}

const FACTOR = 30;
/** The server's other name: the pool of the first application has two hosts. */
const SECOND_HOST = '127.0.0.1';

/** Starts a stack with one application under load. */
export async function startStack({
  factor = FACTOR,
  prometheus: choice = 'installed',
  app = {},
}: StackOptions = {}): Promise<Stack> {
  const startedAtS = Date.now() / 1_000;
  const scale = timeScale(factor);
  const started: AsyncDisposable[] = [];
  const own = <T extends AsyncDisposable>(server: T): T => {
    started.push(server);
    return server;
  };
  const stop = async (): Promise<void> => {
    for (const server of started.splice(0).reverse()) await server[Symbol.asyncDispose]();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'pgauge-stack-'));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    process.once('exit', remove);
    own({
      [Symbol.asyncDispose]: () => {
        process.off('exit', remove);
        remove();
        return Promise.resolve();
      },
    });
    const rds = own(await startLocalRds({ advertisedHost: ['localhost', SECOND_HOST] }));
    const credentials = own(await serveCredentials(rds, HEALTHY_LIFETIME_MS));
    const traces = own(await TraceBackend.start());
    const collector = own(await startCollector(traces.endpoint, scale));
    const otlpPath = own(await CuttablePath.to(collector.otlpPort));
    // Keyed by the host names of docker-compose.yml.
    const addresses = { 'collector:8889': collector.scrapeAddress, 'collector:8888': collector.selfAddress };
    const prometheus = own(await startPrometheus(folder, addresses, scale, choice));
    const connectionFile = join(folder, 'connection.json');
    const { host, port, user, database, region, caFile } = rds;
    await writeFile(connectionFile, JSON.stringify({ host, port, user, database, region, caFile }));

    const apps: LoadApp[] = [];
    const surroundings = {
      otlpUrl: `http://127.0.0.1:${otlpPath.port}`,
      ...{ connectionFile, credentialsUrl: credentials.url, service: SERVICE, scale },
    };
    let count = 0;
    const startApp = async (options: LoadAppOptions = {}): Promise<LoadApp> => {
      count += 1;
      const instance = options.instance ?? `app-${count}`;
      const started_ = own(await LoadApp.start({ ...options, instance }, surroundings));
      apps.push(started_);
      return started_;
    };
    return {
      ...{ startedAtS, scale, rds, collector, prometheus, traces, apps, startApp },
      faults: new Faults(rds, credentials, otlpPath),
      app: await startApp({ secondHost: SECOND_HOST, ...app }),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
