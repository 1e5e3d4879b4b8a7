import { afterEach, beforeEach } from 'vitest';
import type { LocalPostgres } from '../../../local-rds/postgres.js';
import type { Config, InstrumentedPool, PoolOptions } from '../../../src/index.js';
import { RecordingLogger } from '../../support/logger.js';
import { usePools, type Endpoint } from '../../support/pools.js';
import { meterSdk, tracerSdk } from '../../support/telemetry.js';
import { PoolWatch, type ExpectedCloses } from './pool-watch.js';
import { checkRules } from './rules.js';
import { useSockets } from './sockets.js';

/** A pool under fault whose promises, sockets, statements and records are all watched. */
export type WatchedPool = InstrumentedPool & {
  readonly log: RecordingLogger;
  /** Current: sockets held in the test's process, those of cancel requests included. */
  socketsHeld(): number;
  /** Cumulative: sockets dialled since the pool was made. */
  socketsDialled(): number;
  /**
   * Checks the rules that apply to every fault, now that the fault is over, and ends the pool.
   * `closed` lists how many connections were discarded for which reason, except for the end of the pool.
   */
  keepsTheRules(closed: ExpectedCloses): Promise<void>;
};

export type MakeWatchedPool = (
  to: Endpoint,
  config?: Partial<Config>,
  options?: PoolOptions,
) => Promise<WatchedPool>;

/** A logger that keeps every record and then fails, which must not affect any query. */
class FailingLogger extends RecordingLogger {
  override debug(fields: object, message: string): void {
    super.debug(fields, message);
    throw new Error('this logger fails');
  }
  override info(fields: object, message: string): void {
    super.info(fields, message);
    throw new Error('this logger fails');
  }
  override warn(fields: object, message: string): void {
    super.warn(fields, message);
    throw new Error('this logger fails');
  }
}

let names = 0;

/**
 * Returns a function that makes watched pools. Their connections end at any of `servers`; the login is that of the
 * first one. A test fails if it does not check the rules for each of its pools.
 */
export function useWatchedPools(...servers: (() => LocalPostgres)[]): MakeWatchedPool {
  const login = (): LocalPostgres => {
    const [first] = servers;
    if (first === undefined) throw new Error('a watched pool needs a server');
    return first();
  };
  const makePool = usePools(login);
  const sockets = useSockets();
  let watches: PoolWatch[] = [];
  beforeEach(() => {
    watches = [];
  });
  afterEach(({ task }) => {
    for (const watch of watches) watch.stop();
    if (task.result?.state === 'fail') return;
    if (watches.some(({ checked }) => !checked)) throw new Error('a pool was not held to the rules');
  });
  return async (to, config = {}, options = {}) => {
    const log = new FailingLogger();
    const name = `faults ${(names += 1)}`;
    const { total: before } = sockets;
    const [meter, tracer] = [meterSdk(), tracerSdk()];
    const pool = await makePool(to, config, {
      ...options,
      logger: log,
      poolName: name,
      meterProvider: meter.meterProvider,
      tracerProvider: tracer.tracerProvider,
      pg: { ...options.pg, application_name: name },
    });
    const watch = new PoolWatch(pool, name, config.maxOpenConns ?? 10, sockets, () => watches);
    watches.push(watch);
    const keepsTheRules = (closed: ExpectedCloses): Promise<void> =>
      checkRules({
        watch,
        closed,
        log,
        meter,
        tracer,
        servers: servers.map((server) => server()),
      });
    return Object.assign(pool, {
      log,
      keepsTheRules,
      socketsHeld: () => sockets.held,
      socketsDialled: () => sockets.total - before,
    });
  };
}
