import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { newPool, type InstrumentedPool } from 'pgauge';
import { log } from './log.js';
import { database } from './settings.js';

/** Drizzle on a pool. */
export interface Database extends AsyncDisposable {
  readonly pool: InstrumentedPool;
  readonly db: NodePgDatabase;
}

/** Checks the settings without dialling, so that the service starts even while the database is down. */
export async function openDatabase(): Promise<Database> {
  const pool = await newPool(database, {
    logger: log,
    queryTelemetry: true,
    slowQueryMs: 1_000,
    // A request waits through a failover of up to five seconds instead of failing at once.
    acquireTimeoutMs: 5_000,
    connectRetryMs: 5_000,
    // When more requests than this are waiting, an immediate 503 is better than a longer queue.
    maxPending: 500,
    // Less than the platform's delay between SIGTERM and SIGKILL.
    endTimeoutMs: 10_000,
  });
  return { pool, db: drizzle({ client: pool }), [Symbol.asyncDispose]: () => pool.end() };
}
