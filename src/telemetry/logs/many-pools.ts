import { sharedByAll } from '../../process-state.js';
import { livePools } from '../identity.js';
import type { PoolLogs } from './pool-logs.js';

/** This many live pools of one target and name are assumed to be a mistake. */
export const MANY_POOLS = 5;

const HINT =
  'keep one pool for the whole process: on globalThis where a dev server evaluates modules again, never one for each ' +
  'request; end() pools that are no longer needed, and give each of those that are meant to be apart a poolName';

/** The targets and names with a warning so far: a process that keeps making pools is warned once. */
const warned = sharedByAll('manyPools', () => new Set<string>());

/** Warns when this pool is one too many of its target and name. */
export function warnOfManyPools(poolName: string, logs: PoolLogs): void {
  const { kind, count } = livePools(poolName);
  if (count < MANY_POOLS || warned.has(kind)) return;
  warned.add(kind);
  logs.manyPools(count, HINT);
}
