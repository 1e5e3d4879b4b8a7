import type { Attributes } from '@opentelemetry/api';
import type { PoolGauges } from '../../observer.js';
import type { ErrorTypes } from '../error-type.js';
import type { PoolIdentity } from '../identity.js';
import type { PoolLogs } from '../logs/pool-logs.js';
import type { PoolMetrics } from '../metrics/pool-metrics.js';
import type { SaturationWatch } from '../logs/saturation.js';
import type { TracerSource } from '../spans/operation.js';

/** All that the observers of one pool report to. */
export interface Signals {
  readonly identity: PoolIdentity;
  /** What every span starts with. */
  readonly spanAttributes: Attributes;
  readonly acquireSpan: 'auto' | 'always' | 'never';
  readonly errorTypes: ErrorTypes;
  readonly metrics: PoolMetrics;
  readonly tracers: TracerSource;
  readonly logs: PoolLogs;
  readonly saturation: SaturationWatch;
  /** Unset until the pool is watched. */
  gauges: PoolGauges | undefined;
  /** Attempts that failed since the last that succeeded. */
  failedAttempts: number;
}
