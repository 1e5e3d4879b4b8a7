import type { AcquireSpan, Logger } from '../hooks.js';
import type { PoolGauges, PoolObserver } from '../observer.js';
import { ErrorTypes } from './error-type.js';
import { type PoolIdentity, spanAttributes, takePoolName } from './identity.js';
import { guardLogger } from './logs/logger.js';
import { warnOfManyPools } from './logs/many-pools.js';
import { PoolLogs } from './logs/pool-logs.js';
import { SaturationWatch } from './logs/saturation.js';
import { type MeterOptions, PoolMetrics } from './metrics/pool-metrics.js';
import { TelemetryObserver, TracingObserver } from './observers/pool.js';
import type { Signals } from './observers/signals.js';
import { PoolQueries, type QueryOptions } from './queries/pool-queries.js';
import { type TracerOptions, TracerSource } from './spans/tracer-source.js';

export type { PoolIdentity } from './identity.js';

/** The destinations of a pool's telemetry. */
export interface TelemetryOptions extends MeterOptions, TracerOptions, QueryOptions {
  readonly logger: Logger;
  readonly acquireSpan: AcquireSpan;
}

/** The telemetry of one pool. */
export interface PoolTelemetry {
  readonly observer: PoolObserver;
  /** The logger of the options, guarded: its methods never throw. */
  readonly logger: Logger;
  /** `db.client.connection.pool.name`, unique in this process until the pool has ended. */
  readonly poolName: string;
  /** Starts to observe the pool's gauges; called once, as soon as they can be read. */
  watch(gauges: PoolGauges): void;
}

/** Reserves the pool's name and combines metrics, spans and logs into one observer; `observer.ended()` releases the name. */
export function observePool(identity: PoolIdentity, options: TelemetryOptions): PoolTelemetry {
  const known = Object.freeze({ ...identity });
  const poolName = takePoolName(known);
  const logger = guardLogger(options.logger);
  const logs = new PoolLogs(logger, poolName);
  const signals: Signals = {
    identity: known,
    spanAttributes: Object.freeze(spanAttributes(known, poolName)),
    acquireSpan: options.acquireSpan,
    errorTypes: new ErrorTypes(),
    metrics: new PoolMetrics(known, poolName, options),
    tracers: new TracerSource(options),
    logs,
    saturation: new SaturationWatch(logs),
    gauges: undefined,
    failedAttempts: 0,
  };
  const Observer = options.acquireSpan === 'always' ? TracingObserver : TelemetryObserver;
  return {
    observer: new Observer(signals, poolName, new PoolQueries(poolName, signals, options)),
    logger,
    poolName,
    watch: (gauges) => {
      signals.gauges = gauges;
      signals.metrics.watch(gauges);
      signals.saturation.watch(gauges);
      warnOfManyPools(poolName, logs);
    },
  };
}
