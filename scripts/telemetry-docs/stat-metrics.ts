import type { PoolStat } from '../../src/pool/stat.js';
import { ATTR, type METRIC } from '../../src/telemetry/names.js';

/** The metric that corresponds to a field of `pool.stat()`. */
export interface StatMetric {
  readonly metric: keyof typeof METRIC;
  /** Selects the points with these attributes; `undefined` selects points without the attribute. */
  readonly where?: Readonly<Record<string, string | undefined>>;
  /** The property of each point that is summed. */
  readonly read: 'value' | 'count' | 'sum';
  /** The metric is multiplied by this. */
  readonly times?: number;
  /** How the two differ. */
  readonly note?: string;
}

const SUCCEEDED = { [ATTR.errorType]: undefined };
const NOT_BEFORE_SDK = 'only the field has what came before an SDK';

/** Every field of `pool.stat()`. */
export const STAT_METRICS: Readonly<Record<keyof PoolStat, StatMetric>> = {
  totalConns: { metric: 'connectionCount', read: 'value' },
  acquiredConns: { metric: 'connectionCount', where: { [ATTR.connectionState]: 'used' }, read: 'value' },
  idleConns: { metric: 'connectionCount', where: { [ATTR.connectionState]: 'idle' }, read: 'value' },
  constructingConns: {
    metric: 'connectionCount',
    where: { [ATTR.connectionState]: 'connecting' },
    read: 'value',
  },
  maxConns: { metric: 'connectionLimit', read: 'value', note: 'the metric is 0 once the pool has ended' },
  acquireCount: { metric: 'waitTime', where: SUCCEEDED, read: 'count', note: NOT_BEFORE_SDK },
  acquireDurationMs: {
    metric: 'waitTime',
    where: SUCCEEDED,
    read: 'sum',
    times: 1_000,
    note: NOT_BEFORE_SDK,
  },
  canceledAcquireCount: { metric: 'canceledAcquires', read: 'value' },
  emptyAcquireCount: { metric: 'emptyAcquires', read: 'value' },
  emptyAcquireWaitTimeMs: { metric: 'emptyAcquireWaitTime', read: 'value', times: 1_000 },
  newConnsCount: {
    metric: 'createTime',
    read: 'count',
    note: `counts at the start, not at the end; ${NOT_BEFORE_SDK}`,
  },
  maxLifetimeDestroyCount: {
    metric: 'connectionClosed',
    where: { [ATTR.closeReason]: 'lifetime' },
    read: 'value',
    note: '`reset()` counts in the metric only',
  },
  maxIdleDestroyCount: {
    metric: 'connectionClosed',
    where: { [ATTR.closeReason]: 'idle' },
    read: 'value',
  },
};
