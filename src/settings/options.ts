import type { Meter, MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api';
import { MAX_TIMER_MS } from '../deadline.js';
import { checkMs, checkText, checkWhole, readFields, refuseUnknown, type Unchecked } from './checks.js';
import { effectiveLifetimeMs, effectiveMax, effectiveSslMode, type Config } from './config.js';
import type { SslMaterial } from './ssl-mode.js';
import { ConfigError } from '../errors.js';
import type { AfterConnect, BeforeConnect, Logger } from '../hooks.js';
import { resolvePgSettings, type PgSettings } from './driver-settings.js';
import { resolveSsl, type SslOptions } from './ssl-options.js';

export type { PgSettings } from './driver-settings.js';
export type { SslOptions } from './ssl-options.js';

/** Limit of one connection attempt in milliseconds when `connectTimeoutMs` is unset: 15 s. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;
/** Limit of one acquire in milliseconds when `acquireTimeoutMs` is unset: 30 s. */
export const DEFAULT_ACQUIRE_TIMEOUT_MS = 30_000;
/** Limit of one query in milliseconds when `queryTimeoutMs` is unset: off. */
export const DEFAULT_QUERY_TIMEOUT_MS = 0;
/** How long `end()` waits for checked-out clients, in milliseconds, when `endTimeoutMs` is unset: without limit. */
export const DEFAULT_END_TIMEOUT_MS = 0;
/** How long a connection may be idle, in milliseconds, when `idleTimeoutMs` is unset: half an hour. */
export const DEFAULT_IDLE_TIMEOUT_MS = 1_800_000;
/** The share of the lifetime that is the jitter when `connMaxLifetimeJitterMs` is unset: 10 %. */
export const DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO = 0.1;
/** How often a connection is used when `maxUses` is 0 or unset: without limit. */
export const DEFAULT_MAX_USES = 0;
/** Period of the health check in milliseconds when `healthCheckPeriodMs` is unset: one minute. */
export const DEFAULT_HEALTH_CHECK_PERIOD_MS = 60_000;
/** Idle time after which TCP probes the peer, in milliseconds, when `keepAlive` names none: 10 s. */
export const DEFAULT_KEEP_ALIVE_DELAY_MS = 10_000;
/** How long a checkout may last before it is suspected to be a leak, in milliseconds, when `leakDetectionMs` is unset: off. */
export const DEFAULT_LEAK_DETECTION_MS = 0;
/** Which acquires get a span when `acquireSpan` is unset: those that have to wait. */
export const DEFAULT_ACQUIRE_SPAN = 'auto';

const ACQUIRE_SPANS = ['auto', 'always', 'never'] as const;

/**
 * Which acquires get a span: those that have to wait (`auto`), warm ones too (`always`), none (`never`).
 * @useDeclaredType
 */
export type AcquireSpan = (typeof ACQUIRE_SPANS)[number];

/**
 * What `newPool` takes beside the config; it throws ConfigError for an unknown key, a value of another type, and a number
 * that is negative, not finite or above 2^31 - 1. In the `…Ms` members 0 means off, unless said otherwise.
 */
export interface PoolOptions {
  /** Runs before every connection attempt; default none. Not with `dynamicAuth`: to have both, compose them. */
  readonly beforeConnect?: BeforeConnect | undefined;
  /** Runs once on every new connection; default none. */
  readonly afterConnect?: AfterConnect | undefined;
  /** Where the pool logs; default and null: pino on stderr, at the level that PGAUGE_LOG_LEVEL names (`info`). */
  readonly logger?: Logger | null | undefined;
  /** Makes the instruments; default from the global provider. Not with `meterProvider`. */
  readonly meter?: Meter | undefined;
  /** Gives the meter; default the global provider. Not with `meter`. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Makes the spans; default from the global provider. Not with `tracerProvider`. */
  readonly tracer?: Tracer | undefined;
  /** Gives the tracer; default the global provider. Not with `tracer`. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** The pool's name in telemetry, `#2` and so on appended where another pool of the process has it; default `host:port/database`. */
  readonly poolName?: string | undefined;
  /** Bounds `newPool`, which rejects with its reason, and the warm-up; never ends the pool. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Certificates and names for TLS; adds to `sslMode` and can never weaken it. Default none. */
  readonly ssl?: SslOptions | undefined;
  /**
   * Limit of one connection attempt with all its steps, in milliseconds, above 0: it cannot be off; default 15 000.
   * Beyond it the attempt fails with ConnectTimeoutError.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** Limit of one acquire in milliseconds; default 30 000. Beyond it the acquire rejects with AcquireTimeoutError. */
  readonly acquireTimeoutMs?: number | undefined;
  /**
   * Limit of one ordinary query in milliseconds, not of cursors and COPY; default off. Beyond it the query rejects, is
   * cancelled on the server, and its connection is destroyed.
   */
  readonly queryTimeoutMs?: number | undefined;
  /** How long `end()` waits for checked-out clients before it destroys them, in milliseconds; default off: without limit. */
  readonly endTimeoutMs?: number | undefined;
  /** How long a connection beyond `minConns` may be idle, in milliseconds, as the health check sees it; default 1 800 000. */
  readonly idleTimeoutMs?: number | undefined;
  /** Most that is added to a lifetime at random, in milliseconds; default 10 % of the lifetime, 0 for none. */
  readonly connMaxLifetimeJitterMs?: number | undefined;
  /** How often a connection is used before it is replaced, 0 for ever; default 0. */
  readonly maxUses?: number | undefined;
  /**
   * Period of the health check in milliseconds, shorter where the lifetime or `idleTimeoutMs` is; default 60 000. Off:
   * `idleTimeoutMs` is not enforced, and lifetimes are only when a connection is acquired or released.
   */
  readonly healthCheckPeriodMs?: number | undefined;
  /** Most connection attempts at a time, at least 1; default the maximum number of connections. */
  readonly maxConnecting?: number | undefined;
  /** TCP keep-alive, and after how many idle milliseconds it starts (0: the system's); default true, 10 000. */
  readonly keepAlive?:
    | boolean
    | {
        /** Idle time after which TCP probes the peer, in milliseconds; default 10 000, 0: the system's. */
        readonly initialDelayMs?: number | undefined;
      }
    | undefined;
  /** How long a checkout may last before a warning suspects a leak, with its acquirer's stack, in milliseconds; default off. */
  readonly leakDetectionMs?: number | undefined;
  /** Which acquires get a span; default `auto`: those that have to wait. */
  readonly acquireSpan?: AcquireSpan | undefined;
  /** Logs the statistics at debug level, every 60 000 ms or at `intervalMs` (0: the default); default false. */
  readonly statsLog?:
    | boolean
    | {
        /** Milliseconds between two records; default and 0: 60 000. */
        readonly intervalMs?: number | undefined;
      }
    | undefined;
  /** The driver's own settings; default none. */
  readonly pg?: PgSettings | undefined;
}

/** All options with their defaults; times in milliseconds, 0 means off. */
export interface ResolvedOptions {
  readonly beforeConnect: BeforeConnect | undefined;
  readonly afterConnect: AfterConnect | undefined;
  readonly logger: Logger | undefined;
  readonly meter: Meter | undefined;
  readonly meterProvider: MeterProvider | undefined;
  readonly tracer: Tracer | undefined;
  readonly tracerProvider: TracerProvider | undefined;
  /** Undefined: telemetry makes one. */
  readonly poolName: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly ssl: SslMaterial | undefined;
  readonly connectTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  readonly queryTimeoutMs: number;
  readonly endTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly connMaxLifetimeJitterMs: number;
  readonly maxUses: number;
  readonly healthCheckPeriodMs: number;
  readonly maxConnecting: number;
  /** Undefined when keep-alive is off. */
  readonly keepAlive: { readonly initialDelayMs: number } | undefined;
  readonly leakDetectionMs: number;
  readonly acquireSpan: AcquireSpan;
  /** Undefined when the statistics are not logged; 0 means the stats logger's own default. */
  readonly statsLog: { readonly intervalMs: number } | undefined;
  readonly pg: PgSettings;
}

/** All options with their defaults, copied and frozen; throws ConfigError for the first thing refused. */
export function resolveOptions(options: unknown, config: Config): ResolvedOptions {
  const fields: Unchecked<PoolOptions> = readFields(options ?? {}, 'options');

  const ms = (name: keyof PoolOptions, preset: number): number => {
    const value = fields[name];
    checkMs(value, name);
    return value ?? preset;
  };
  const having = <K extends keyof PoolOptions>(name: K, ...methods: string[]): PoolOptions[K] => {
    const value = fields[name];
    if (value !== undefined) checkMethods(value, name, methods);
    return value as PoolOptions[K];
  };
  const callback = <K extends keyof PoolOptions>(name: K): PoolOptions[K] => {
    const value = fields[name];
    if (value !== undefined && typeof value !== 'function')
      throw new ConfigError(`${name} must be a function`);
    return value as PoolOptions[K];
  };

  const resolved = {
    beforeConnect: callback('beforeConnect'),
    afterConnect: callback('afterConnect'),
    logger: having('logger', 'debug', 'info', 'warn') ?? undefined,
    meter: having('meter', 'createHistogram', 'createObservableCounter'),
    meterProvider: having('meterProvider', 'getMeter'),
    tracer: having('tracer', 'startSpan'),
    tracerProvider: having('tracerProvider', 'getTracer'),
    poolName: text(fields.poolName, 'poolName'),
    signal: abortSignal(fields.signal),
    ssl: resolveSsl(fields.ssl, effectiveSslMode(config)),
    connectTimeoutMs: ms('connectTimeoutMs', DEFAULT_CONNECT_TIMEOUT_MS),
    acquireTimeoutMs: ms('acquireTimeoutMs', DEFAULT_ACQUIRE_TIMEOUT_MS),
    queryTimeoutMs: ms('queryTimeoutMs', DEFAULT_QUERY_TIMEOUT_MS),
    endTimeoutMs: ms('endTimeoutMs', DEFAULT_END_TIMEOUT_MS),
    idleTimeoutMs: ms('idleTimeoutMs', DEFAULT_IDLE_TIMEOUT_MS),
    connMaxLifetimeJitterMs: ms(
      'connMaxLifetimeJitterMs',
      Math.round(effectiveLifetimeMs(config) * DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO),
    ),
    maxUses: whole(fields.maxUses, 'maxUses', 0) ?? DEFAULT_MAX_USES,
    healthCheckPeriodMs: ms('healthCheckPeriodMs', DEFAULT_HEALTH_CHECK_PERIOD_MS),
    maxConnecting: whole(fields.maxConnecting, 'maxConnecting', 1) ?? effectiveMax(config),
    keepAlive: keepAlive(fields.keepAlive),
    leakDetectionMs: ms('leakDetectionMs', DEFAULT_LEAK_DETECTION_MS),
    acquireSpan: acquireSpan(fields.acquireSpan),
    statsLog: statsLog(fields.statsLog),
    pg: resolvePgSettings(fields.pg),
  } satisfies Record<keyof PoolOptions, unknown>;

  refuseUnknown(fields, Object.keys(resolved), 'options');
  // An attempt that never ends would hold its slot for ever.
  if (resolved.connectTimeoutMs === 0) {
    throw new ConfigError(`connectTimeoutMs must be above 0 and at most ${MAX_TIMER_MS}: it cannot be off`);
  }
  refusePair(resolved, 'meter', 'meterProvider');
  refusePair(resolved, 'tracer', 'tracerProvider');
  return Object.freeze(resolved);
}

function checkMethods(value: unknown, name: string, methods: readonly string[]): void {
  const methodsOf = Object(value) as Record<string, unknown>;
  for (const method of methods) {
    if (typeof methodsOf[method] !== 'function') {
      throw new ConfigError(`${name} must have these functions: ${methods.join(', ')}`);
    }
  }
}

function refusePair(resolved: object, one: keyof PoolOptions, other: keyof PoolOptions): void {
  const given = resolved as PoolOptions;
  if (given[one] !== undefined && given[other] !== undefined) {
    throw new ConfigError(`${one} and ${other} are mutually exclusive: give the one that is to be used`);
  }
}

function whole(value: unknown, name: string, least: number): number | undefined {
  checkWhole(value, name, least);
  return value;
}

function text(value: unknown, name: string): string | undefined {
  checkText(value, name);
  return value === '' ? undefined : value;
}

function abortSignal(value: unknown): AbortSignal | undefined {
  if (value !== undefined && !(value instanceof AbortSignal))
    throw new ConfigError('signal must be an AbortSignal');
  return value;
}

function acquireSpan(value: unknown = DEFAULT_ACQUIRE_SPAN): AcquireSpan {
  if (!(ACQUIRE_SPANS as readonly unknown[]).includes(value)) {
    throw new ConfigError(`acquireSpan must be one of ${ACQUIRE_SPANS.join(', ')}`);
  }
  return value as AcquireSpan;
}

function keepAlive(value: unknown = true): ResolvedOptions['keepAlive'] {
  const initialDelayMs = timed(value, 'keepAlive', 'initialDelayMs');
  return initialDelayMs === false
    ? undefined
    : Object.freeze({ initialDelayMs: initialDelayMs ?? DEFAULT_KEEP_ALIVE_DELAY_MS });
}

function statsLog(value: unknown = false): ResolvedOptions['statsLog'] {
  const intervalMs = timed(value, 'statsLog', 'intervalMs');
  return intervalMs === false ? undefined : Object.freeze({ intervalMs: intervalMs ?? 0 });
}

/** A switch that may carry a time: false when off, undefined when on without a time. */
function timed(value: unknown, name: string, member: string): number | false | undefined {
  if (value === false) return false;
  if (value === true) return undefined;
  if (typeof value !== 'object') throw new ConfigError(`${name} must be true, false or { ${member} }`);
  const fields = readFields(value, name);
  refuseUnknown(fields, [member], name);
  const time = fields[member];
  checkMs(time, `${name}.${member}`);
  return time;
}
