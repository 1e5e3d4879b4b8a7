import { createServer, type AddressInfo } from 'node:net';
import type { MeterProvider } from '@opentelemetry/api';
import type { PoolClient } from 'pg';
import { newPool, type Config, type InstrumentedPool } from '../../../src/index.js';
import type { LocalPostgres } from '../../../local-rds/postgres.js';
import { RecordingLogger } from '../../support/logger.js';
import type { Proxy } from '../../support/proxy.js';
import { sessionsOf } from '../../support/sessions.js';
import { until } from '../../support/until.js';
import type { Scene, State } from './states.js';
import { EventCounts, type Truth } from './truth.js';

/** The servers and tools that scenes use. */
export interface Stage {
  readonly server: LocalPostgres;
  readonly proxy: Proxy;
  readonly closedPort: number;
  readonly meterProvider: MeterProvider;
}

let scenes = 0;

/** A pool that was brought into a state. */
export class PlayedScene implements Scene {
  readonly log: RecordingLogger;
  readonly events: EventCounts;
  readonly #madeAt = performance.now();
  #reachedAt = 0;
  readonly #held: PoolClient[] = [];
  readonly #left: Promise<unknown>[] = [];

  private constructor(
    readonly pool: InstrumentedPool,
    readonly truth: Truth,
    private readonly stage: Stage,
    private readonly applicationName: string,
    private readonly openGate: () => void,
    log: RecordingLogger,
  ) {
    this.log = log;
    this.events = new EventCounts(pool);
  }

  /** Makes the pool and brings it into the state. */
  static async play(state: State, stage: Stage, config: Partial<Config> = {}): Promise<PlayedScene> {
    const { promise: gate, resolve: openGate } = gateOf();
    const { server, proxy, closedPort, meterProvider } = stage;
    const { user, password, database } = server;
    const { host, port } = state.through === 'proxy' ? proxy : server;
    const options = typeof state.options === 'function' ? state.options(gate) : state.options;
    const applicationName = `scene ${++scenes}`;
    const log = new RecordingLogger();
    const pool = await newPool(
      {
        ...{ host, user, password, database, sslMode: 'disable', maxOpenConns: 2, ...config },
        port: state.through === 'closed port' ? closedPort : port,
        ...state.config,
      },
      { ...options, logger: log, meterProvider, pg: { ...options?.pg, application_name: applicationName } },
    );
    const scene = new PlayedScene(pool, state.truth, stage, applicationName, openGate, log);
    try {
      await state.reach(scene);
      scene.#reachedAt = performance.now();
      // The server notices a closed socket, and the listeners a removed client, a moment later.
      const wanted = state.truth.sessions ?? 0;
      await until(`${wanted} sessions`, async () => (await scene.sessions()) === wanted);
      await until('every removal is told', () => scene.events.seen.remove === scene.#removed());
    } catch (error) {
      await scene.end();
      throw error;
    }
    return scene;
  }

  readonly hold = async (): Promise<PoolClient> => {
    const client = await this.pool.connect();
    this.#held.push(client);
    return client;
  };

  readonly leave = (promise: Promise<unknown>): void => {
    this.#left.push(promise.catch(() => undefined));
  };

  readonly terminateSessions = async (): Promise<void> => {
    await this.stage.server.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
      [this.applicationName],
    );
  };

  readonly cutConnections = (): void => this.stage.proxy.resetAll();
  readonly silence = (): (() => void) => {
    this.stage.proxy.set({ blackHole: true });
    return () => this.stage.proxy.set({ blackHole: false });
  };

  /** The number of this pool's sessions on the server. */
  sessions(): Promise<number> {
    return sessionsOf(this.stage.server, this.applicationName);
  }

  get poolName(): string {
    return String(this.log.named('postgres connection pool created')[0]?.fields['pool']);
  }

  /** Milliseconds since the state was reached. */
  get sinceReachedMs(): number {
    return performance.now() - this.#reachedAt;
  }

  /** Milliseconds since the pool was made. */
  get sinceMadeMs(): number {
    return performance.now() - this.#madeAt;
  }

  /** Releases everything that the script left, and ends the pool. */
  async end(): Promise<void> {
    this.openGate();
    for (const client of this.#held.splice(0)) client.release();
    const ended = this.pool.end({ waiting: 'reject' });
    await Promise.all(this.#left);
    await ended;
  }

  #removed(): number {
    const { closed = {}, closedInAttempt = 0 } = this.truth;
    return Object.values(closed).reduce((sum, count) => sum + count, 0) - closedInAttempt;
  }
}

/** A loopback port on which no server listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function gateOf(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((open) => (resolve = open));
  return { promise, resolve };
}
