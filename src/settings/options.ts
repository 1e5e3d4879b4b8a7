import type { Meter, MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api';
import type { PgSettings } from './driver-settings.js';
import type { Pipelining } from './pipelining.js';
import type { SslOptions } from './ssl-options.js';
import type {
  AcquireSpan,
  AfterConnect,
  BeforeConnect,
  DialFunction,
  Logger,
  OnAcquire,
  QueryTelemetry,
  ResetSession,
} from '../hooks.js';

export type { PgSettings } from './driver-settings.js';
export type { Pipelining } from './pipelining.js';
export type { SslOptions } from './ssl-options.js';

/** Limit of one connection attempt, in milliseconds, when `connectTimeoutMs` is unset: 15 s. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;
/** Limit of one acquire in milliseconds when `acquireTimeoutMs` is unset: 30 s. */
export const DEFAULT_ACQUIRE_TIMEOUT_MS = 30_000;
/** How long an acquire waits through failed connection attempts, in milliseconds, when `connectRetryMs` is unset: off. */
export const DEFAULT_CONNECT_RETRY_MS = 0;
/** Limit of one query in milliseconds when `queryTimeoutMs` is unset: off. */
export const DEFAULT_QUERY_TIMEOUT_MS = 0;
/** How long `end()` waits for checked-out clients, in milliseconds, when `endTimeoutMs` is unset: without limit. */
export const DEFAULT_END_TIMEOUT_MS = 0;
/** How long a connection may be idle, in milliseconds, when `idleTimeoutMs` is unset: half an hour. */
export const DEFAULT_IDLE_TIMEOUT_MS = 1_800_000;
/** The share of the lifetime that is the jitter when `connMaxLifetimeJitterMs` is unset: 10 %. */
export const DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO = 0.1;
/** How many acquires may wait when `maxPending` is 0 or unset: without limit. */
export const DEFAULT_MAX_PENDING = 0;
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
/** Which queries get a span when `queryTelemetry.spans` is unset: all of them. */
export const DEFAULT_QUERY_SPANS = 'always';
/** Which spans of queries have the text when `queryTelemetry.text` is unset: those of queries with values or a name. */
export const DEFAULT_QUERY_TEXT = 'parameterized';
/** How long a query may take before it is logged as slow, in milliseconds, when `slowQueryMs` is unset: off. */
export const DEFAULT_SLOW_QUERY_MS = 0;

/** The values of `acquireSpan`. */
export const ACQUIRE_SPANS = ['auto', 'always', 'never'] as const satisfies readonly AcquireSpan[];

/** The values of `queryTelemetry.spans`. */
export const QUERY_SPANS = ['always', 'child', 'never'] as const satisfies readonly QueryTelemetry['spans'][];
/** The values of `queryTelemetry.text`. */
export const QUERY_TEXTS = [
  'parameterized',
  'sanitized',
  'never',
] as const satisfies readonly QueryTelemetry['text'][];
/** The values of `queryTelemetry.comment`. */
export const QUERY_COMMENTS = [
  false,
  'service',
  'trace',
] as const satisfies readonly QueryTelemetry['comment'][];

/**
 * Options of `newPool`, which throws ConfigError for an unknown key, a value of another type, and a number that is
 * negative, not finite or above 2^31 - 1. In the `…Ms` members 0 means off, unless stated otherwise.
 */
export interface PoolOptions {
  /** Runs before every connection attempt; default none. Not with `dynamicAuth`: to have both, compose them. */
  readonly beforeConnect?: BeforeConnect | undefined;
  /** Runs once on every new connection; default none. */
  readonly afterConnect?: AfterConnect | undefined;
  /** Provides the transport of every connection attempt, such as a tunnel or a unix socket; default none: TCP. */
  readonly dial?: DialFunction | undefined;
  /** Runs before every hand-over of a client, for example to set the tenant of row-level security; default none. */
  readonly onAcquire?: OnAcquire | undefined;
  /** Runs after every release: `'discard'` for `DISCARD ALL`, or a function; default none. */
  readonly resetSession?: ResetSession | undefined;
  /** The pool's logger; default and null: pino on stderr, at the level of PGAUGE_LOG_LEVEL (default `info`). */
  readonly logger?: Logger | null | undefined;
  /** Creates the metric instruments; default a meter of the global provider. Not with `meterProvider`. */
  readonly meter?: Meter | undefined;
  /** Provides the meter; default the global provider. Not with `meter`. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Creates the spans; default a tracer of the global provider. Not with `tracerProvider`. */
  readonly tracer?: Tracer | undefined;
  /** Provides the tracer; default the global provider. Not with `tracer`. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** The pool's name in telemetry, with `#2` and so on appended if already taken; default `host:port/database`. */
  readonly poolName?: string | undefined;
  /** Bounds `newPool`, which rejects with its reason, and the warm-up; never ends the pool. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Certificates and names for TLS; adds to `sslMode` and can never weaken it. Default none. */
  readonly ssl?: SslOptions | undefined;
  /**
   * Limit of one connection attempt with all its steps, in milliseconds, above 0 as it cannot be off; default 15 000.
   * After that the attempt fails with ConnectTimeoutError.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** Limit of one acquire in milliseconds; default 30 000. After that the acquire rejects with AcquireTimeoutError. */
  readonly acquireTimeoutMs?: number | undefined;
  /**
   * How long an acquire keeps waiting, in milliseconds, while connection attempts fail because the server cannot be
   * reached, is starting up or is full; default off. After that, or after `acquireTimeoutMs`, it rejects with
   * AcquireTimeoutError.
   */
  readonly connectRetryMs?: number | undefined;
  /**
   * How many acquires may wait, including those for which a connection is being made; default 0, any number. Any
   * further acquire rejects at once with PoolBusyError, unless an idle connection can serve it.
   */
  readonly maxPending?: number | undefined;
  /**
   * Limit of one ordinary query in milliseconds, not of cursors and COPY; default off. After that the query rejects
   * with QueryTimeoutError and is cancelled on the server; its connection is kept if the server stops the query
   * within 900 ms.
   */
  readonly queryTimeoutMs?: number | undefined;
  /** How long `end()` waits for checked-out clients before it destroys them, in milliseconds; default off, no limit. */
  readonly endTimeoutMs?: number | undefined;
  /** How long a connection beyond `minConns` may be idle, in milliseconds, before the health check closes it; default 1 800 000. */
  readonly idleTimeoutMs?: number | undefined;
  /** Upper bound of the random time added to each lifetime, in milliseconds; default 10 % of the lifetime, 0 for none. */
  readonly connMaxLifetimeJitterMs?: number | undefined;
  /**
   * Whether a connection is retired when the password that opened it expires, for servers that then end the session
   * (Vault leases, OAuth behind a pooler); it has no effect on passwords without a known expiry. Default false.
   */
  readonly retireAtExpiry?: boolean | undefined;
  /** How often a connection is used before it is replaced, 0 for no limit; default 0. */
  readonly maxUses?: number | undefined;
  /**
   * Period of the health check in milliseconds, shorter if the lifetime or `idleTimeoutMs` is; default 60 000. If off,
   * `idleTimeoutMs` is not enforced, and lifetimes are enforced only when a connection is acquired or released.
   */
  readonly healthCheckPeriodMs?: number | undefined;
  /** Maximum number of simultaneous connection attempts, at least 1; default the maximum number of connections. */
  readonly maxConnecting?: number | undefined;
  /** TCP keep-alive, and the idle milliseconds after which it starts (0: the system's); default true, 10 000. */
  readonly keepAlive?:
    | boolean
    | {
        /** Idle time after which TCP probes the peer, in milliseconds; default 10 000, 0: the system's. */
        readonly initialDelayMs?: number | undefined;
      }
    | undefined;
  /** How long a checkout may last, in milliseconds, before a warning reports a possible leak with the stack of its acquire; default off. */
  readonly leakDetectionMs?: number | undefined;
  /** Which acquires get a span; default `auto`, those that have to wait. */
  readonly acquireSpan?: AcquireSpan | undefined;
  /** Measures each query: `true` for metrics and spans, or an object that selects them; default false. */
  readonly queryTelemetry?: boolean | QueryTelemetry | undefined;
  /** How long a query may take, in milliseconds, before a warning reports it as slow; needs no `queryTelemetry`; default off. */
  readonly slowQueryMs?: number | undefined;
  /** Logs the statistics at debug level, every 60 000 ms or at `intervalMs` (0: the default); default false. */
  readonly statsLog?:
    | boolean
    | {
        /** Milliseconds between two records; default and 0: 60 000. */
        readonly intervalMs?: number | undefined;
      }
    | undefined;
  /**
   * Sends eligible queries of `pool.query` on connections that already serve others, once the pool is at its maximum;
   * default off. Needs pg 8.23; not with `queryTimeoutMs`, `onAcquire` or `resetSession`.
   */
  readonly pipelining?: Pipelining | undefined;
  /** The driver's own settings; default none. */
  readonly pg?: PgSettings | undefined;
}
