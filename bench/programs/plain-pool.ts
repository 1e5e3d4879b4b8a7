import type { PoolRecipe } from './open-pool.js';
import type { Settings } from './program.js';

/** A pool of at most `max` connections to the server without TLS. */
export function plainPool({ plain }: Settings, max: number): PoolRecipe {
  return {
    raw: () => ({ ...plain, ssl: false, max, idleTimeoutMillis: 0 }),
    pgauge: () => ({ config: { ...plain, sslMode: 'disable', maxOpenConns: max } }),
  };
}

interface Acquirable<C> {
  connect(): Promise<C>;
}

/** Opens `count` connections at once and returns them all. */
export async function fill<C extends { release(): void }>(pool: Acquirable<C>, count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of clients) client.release();
}
