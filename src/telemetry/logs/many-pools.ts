import { sharedByAll } from '../../process-state.js';
import { livePools } from '../identity.js';
import type { PoolLogs } from './pool-logs.js';

/** So many live pools of one target and name are taken for an oversight. */
export const MANY_POOLS = 5;

const HINT =
  'keep one pool for the whole process: on globalThis where a dev server evaluates modules again, never one for each ' +
  'request; end() pools that are no longer needed, and give each of those that are meant to be apart a poolName';

/** The targets and names that were warned of: a process that makes pools without end is told once. */
const warned = sharedByAll('manyPools', () => new Set<string>());

/** Warns when this pool is the one that makes too many of its target and name. */
export function warnOfManyPools(poolName: string, logs: PoolLogs): void {
  const { kind, count } = livePools(poolName);
  if (count < MANY_POOLS || warned.has(kind)) return;
  warned.add(kind);
  logs.manyPools(count, HINT);
}
