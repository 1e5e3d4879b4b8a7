import type { Attributes } from '@opentelemetry/api';
import type { AcquireSpan } from '../../hooks.js';
import type { PoolGauges } from '../../observer.js';
import type { ErrorTypes } from '../error-type.js';
import type { PoolIdentity } from '../identity.js';
import type { PoolLogs } from '../logs/pool-logs.js';
import type { SaturationWatch } from '../logs/saturation.js';
import type { PoolMetrics } from '../metrics/pool-metrics.js';
import type { TracerSource } from '../spans/tracer-source.js';

/** Everything the observers of one pool report to, and the state they share. */
export interface Signals {
  readonly identity: PoolIdentity;
  /** The attributes common to acquire and connect spans. */
  readonly spanAttributes: Attributes;
  readonly acquireSpan: AcquireSpan;
  readonly errorTypes: ErrorTypes;
  readonly metrics: PoolMetrics;
  readonly tracers: TracerSource;
  readonly logs: PoolLogs;
  readonly saturation: SaturationWatch;
  /** Unset until `watch` is called, and after the pool has ended. */
  gauges: PoolGauges | undefined;
  /** Failed connection attempts since the last successful one. */
  failedAttempts: number;
}
