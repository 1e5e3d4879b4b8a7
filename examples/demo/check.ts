import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalRds } from '../../local-rds/index.js';
import type { InstrumentedPool, PoolStat } from '../../src/index.js';

const LOOK_EVERY_MS = 50;

/** Says what is wrong with a pool that nobody uses; undefined when within `limitMs` nobody waits, nothing is checked out, and the server sees as many connections as `stat()`. */
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

/** Says what no pool may ever show; undefined when all is well. */
export function overLimits(stat: PoolStat): string | undefined {
  const { totalConns, maxConns, acquiredConns, idleConns, constructingConns } = stat;
  if (totalConns > maxConns) return `${totalConns} connections, and ${maxConns} are allowed`;
  const sum = acquiredConns + idleConns + constructingConns;
  return sum === totalConns ? undefined : `${totalConns} connections, but the states add up to ${sum}`;
}

async function look(pool: InstrumentedPool, rds: LocalRds): Promise<string | undefined> {
  const seen = await serverConnections(rds);
  const { totalConns, acquiredConns, constructingConns } = pool.stat();
  if (pool.waitingCount > 0) return `${pool.waitingCount} acquirers wait for ever`;
  if (acquiredConns > 0) return `${acquiredConns} connections are never released`;
  if (constructingConns > 0) return `${constructingConns} connection attempts go on`;
  return seen === totalConns
    ? undefined
    : `stat() tells of ${totalConns} connections, pg_stat_activity of ${seen}`;
}

async function serverConnections(rds: LocalRds): Promise<number> {
  const { rows } = await rds.postgres.query<{ open: number }>(
    'select count(*)::int as open from pg_stat_activity where datname = $1',
    [rds.database],
  );
  return rows[0]?.open ?? 0;
}
