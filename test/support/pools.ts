import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { newPool, type Config, type InstrumentedPool, type PoolOptions } from '../../src/index.js';
import { RecordingLogger } from './logger.js';

/** Where a plain server listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Makes pools that are ended after the test. */
export type MakePool = (
  to: Endpoint,
  config?: Partial<Config>,
  options?: PoolOptions,
) => Promise<InstrumentedPool & { readonly log: RecordingLogger }>;

/** How long a pool may take to end after its test, in milliseconds; clients that were never released delay it. */
const END_TIMEOUT_MS = 30_000;

/**
 * Returns a function that makes pools on a plain server, with the login that `login` returns. They are ended after each
 * test, which fails if that exceeds the limit. Each pool has a recording logger, as `log`.
 */
export function usePools(login: () => { user: string; password: string; database: string }): MakePool {
  const pools: InstrumentedPool[] = [];
  afterEach(async () => {
    const ended = Promise.all(pools.splice(0).map((pool) => pool.end({ waiting: 'reject' }))).then(
      () => true,
    );
    const inTime = await Promise.race([ended, sleep(END_TIMEOUT_MS, false, { ref: false })]);
    if (!inTime) throw new Error(`a pool of this test did not end within ${END_TIMEOUT_MS} ms`);
  });
  return async ({ host, port }, config, options) => {
    const log = new RecordingLogger();
    const { user, password, database } = login();
    const pool = await newPool(
      { host, port, user, password, database, sslMode: 'disable', ...config },
      { logger: log, ...options },
    );
    pools.push(pool);
    return Object.assign(pool, { log });
  };
}

/** The server's process id of the connection that runs the query. */
export async function backendPid(on: { query(text: string): Promise<{ rows: unknown[] }> }): Promise<number> {
  const { rows } = await on.query('select pg_backend_pid() as pid');
  return (rows[0] as { pid: number }).pid;
}
