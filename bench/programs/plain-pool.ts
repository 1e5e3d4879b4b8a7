import type { PoolRecipe } from './open-pool.js';
import type { Settings } from './program.js';

/** Not disabled, because `raw` has this timer by default; longer than the turns of the other contenders. */
export const IDLE_TIMEOUT_MS = 600_000;

/** The settings of a pool of at most `max` connections to the server without TLS. */
export function plainPool({ plain }: Settings, max: number): PoolRecipe {
  return {
    raw: () => ({ ...plain, ssl: false, max, idleTimeoutMillis: IDLE_TIMEOUT_MS }),
    pgauge: () => ({ config: { ...plain, sslMode: 'disable', maxOpenConns: max } }),
  };
}

interface Acquirable<C> {
  connect(): Promise<C>;
}

/** Opens `count` connections at the same time and releases them all. */
export async function fill<C extends { release(): void }>(pool: Acquirable<C>, count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of clients) client.release();
}

/** Acquires and releases a connection `times` times in sequence. */
export async function checkOut<C extends { release(): void }>(
  pool: Acquirable<C>,
  times: number,
): Promise<void> {
  for (let i = 0; i < times; i++) (await pool.connect()).release();
}
