import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalRds } from '../../local-rds/index.js';
import type { InstrumentedPool, PoolStat } from '../../src/index.js';

const LOOK_EVERY_MS = 50;

/**
 * Returns the fault of a pool that is no longer used; undefined if, within `limitMs`, no acquirer waits, no connection
 * is in use or being made, and the server has as many connections as `stat()`.
 */
export async function unsettled(
  pool: InstrumentedPool,
  rds: LocalRds,
  limitMs: number,
): Promise<string | undefined> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const wrong = await look(pool, rds);
    if (wrong === undefined || performance.now() > deadline) return wrong;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Returns a violation of the limits that always hold for a pool; undefined if there is none. */
export function overLimits(stat: PoolStat): string | undefined {
  const { totalConns, maxConns, acquiredConns, idleConns, constructingConns } = stat;
  if (totalConns > maxConns) return `${totalConns} connections, where at most ${maxConns} are allowed`;
  const sum = acquiredConns + idleConns + constructingConns;
  return sum === totalConns ? undefined : `${totalConns} connections, but the states add up to ${sum}`;
}

async function look(pool: InstrumentedPool, rds: LocalRds): Promise<string | undefined> {
  const seen = await serverConnections(rds);
  const { totalConns, acquiredConns, constructingConns } = pool.stat();
  if (pool.waitingCount > 0) return `${pool.waitingCount} acquires are still waiting`;
  if (acquiredConns > 0) return `${acquiredConns} connections are still in use`;
  if (constructingConns > 0) return `${constructingConns} connection attempts are still running`;
  return seen === totalConns
    ? undefined
    : `stat() reports ${totalConns} connections, pg_stat_activity ${seen}`;
}

async function serverConnections(rds: LocalRds): Promise<number> {
  const { rows } = await rds.postgres.query<{ open: number }>(
    'select count(*)::int as open from pg_stat_activity where datname = $1',
    [rds.database],
  );
  return rows[0]?.open ?? 0;
}
