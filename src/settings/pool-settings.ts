import type { Meter, MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api';
import {
  checkFlag,
  checkFunction,
  checkMethods,
  checkMs,
  checkOneOf,
  checkPositive,
  checkText,
  checkWhole,
  optional,
  readFields,
  refuseUnknown,
  runChecks,
  withDefault,
  type Check,
  type Checked,
  type Checks,
  type Unchecked,
} from './checks.js';
import { defaultLifetime } from '../auth/backends.js';
import { effectiveLifetimeMs, effectiveSslMode, type Config } from './config.js';
import { pgSettings } from './driver-settings.js';
import {
  ACQUIRE_SPANS,
  DEFAULT_ACQUIRE_SPAN,
  DEFAULT_ACQUIRE_TIMEOUT_MS,
  DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO,
  DEFAULT_CONNECT_RETRY_MS,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_END_TIMEOUT_MS,
  DEFAULT_HEALTH_CHECK_PERIOD_MS,
  DEFAULT_IDLE_TIMEOUT_MS,
  DEFAULT_KEEP_ALIVE_DELAY_MS,
  DEFAULT_LEAK_DETECTION_MS,
  DEFAULT_MAX_PENDING,
  DEFAULT_MAX_USES,
  DEFAULT_QUERY_SPANS,
  DEFAULT_QUERY_TEXT,
  DEFAULT_QUERY_TIMEOUT_MS,
  DEFAULT_SLOW_QUERY_MS,
  QUERY_COMMENTS,
  QUERY_SPANS,
  QUERY_TEXTS,
  type PoolOptions,
} from './options.js';
import { pipelining, refuseWithPipelining } from './pipelining.js';
import { sslSettings } from './ssl-options.js';
import { MAX_TIMER_MS } from '../deadline.js';
import { ConfigError } from '../errors.js';
import type {
  AfterConnect,
  BeforeConnect,
  DialFunction,
  Logger,
  OnAcquire,
  QueryTelemetry,
  ResetSession,
} from '../hooks.js';

const optionChecks = (config: Config) =>
  ({
    beforeConnect: optional(checkFunction) as Check<BeforeConnect | undefined>,
    afterConnect: optional(checkFunction) as Check<AfterConnect | undefined>,
    dial: optional(checkFunction) as Check<DialFunction | undefined>,
    onAcquire: optional(checkFunction) as Check<OnAcquire | undefined>,
    resetSession,
    logger: optional(checkMethods<Logger>('debug', 'info', 'warn')),
    meter: optional(checkMethods<Meter>('createHistogram', 'createObservableCounter')),
    meterProvider: optional(checkMethods<MeterProvider>('getMeter')),
    tracer: optional(checkMethods<Tracer>('startSpan')),
    tracerProvider: optional(checkMethods<TracerProvider>('getTracer')),
    poolName,
    signal,
    ssl: (value) => sslSettings(value, effectiveSslMode(config)),
    connectTimeoutMs: withDefault(checkMs, DEFAULT_CONNECT_TIMEOUT_MS),
    acquireTimeoutMs: withDefault(checkMs, DEFAULT_ACQUIRE_TIMEOUT_MS),
    connectRetryMs: withDefault(checkMs, DEFAULT_CONNECT_RETRY_MS),
    maxPending: withDefault(checkWhole, DEFAULT_MAX_PENDING),
    queryTimeoutMs: withDefault(checkMs, DEFAULT_QUERY_TIMEOUT_MS),
    endTimeoutMs: withDefault(checkMs, DEFAULT_END_TIMEOUT_MS),
    idleTimeoutMs: withDefault(checkMs, DEFAULT_IDLE_TIMEOUT_MS),
    connMaxLifetimeJitterMs: withDefault(checkMs, defaultJitterMs(config)),
    retireAtExpiry: withDefault(checkFlag, false),
    maxUses: withDefault(checkWhole, DEFAULT_MAX_USES),
    healthCheckPeriodMs: withDefault(checkMs, DEFAULT_HEALTH_CHECK_PERIOD_MS),
    maxConnecting: withDefault(checkPositive, Infinity),
    keepAlive,
    leakDetectionMs: withDefault(checkMs, DEFAULT_LEAK_DETECTION_MS),
    acquireSpan: withDefault(checkOneOf(ACQUIRE_SPANS), DEFAULT_ACQUIRE_SPAN),
    queryTelemetry,
    slowQueryMs: withDefault(checkMs, DEFAULT_SLOW_QUERY_MS),
    statsLog,
    pipelining,
    pg: pgSettings,
  }) satisfies Checks<PoolOptions>;

function defaultJitterMs(config: Config): number {
  const ofBackend = config.connMaxLifetimeMs ? undefined : defaultLifetime(config.dynamicAuth);
  return (
    ofBackend?.jitterMs ?? Math.round(effectiveLifetimeMs(config) * DEFAULT_CONN_MAX_LIFETIME_JITTER_RATIO)
  );
}

/** The settings of a pool: all options, checked and with their defaults; times in milliseconds, 0 means off. */
export type PoolSettings = Checked<ReturnType<typeof optionChecks>>;

/** Checks options, fills in the defaults, copies and freezes them; throws ConfigError for the first violation. */
export function poolSettings(options: unknown, config: Config): PoolSettings {
  const fields: Unchecked<PoolOptions> = readFields(options ?? {}, 'options');
  const checks = optionChecks(config);
  const settings: PoolSettings = runChecks(checks, fields);
  refuseUnknown(fields, Object.keys(checks), 'options');
  // An attempt without a time limit could hold its slot forever.
  if (settings.connectTimeoutMs === 0) {
    throw new ConfigError(`connectTimeoutMs must be above 0 and at most ${MAX_TIMER_MS}: it cannot be off`);
  }
  refusePair(settings, 'meter', 'meterProvider');
  refusePair(settings, 'tracer', 'tracerProvider');
  refuseWithPipelining(settings);
  return Object.freeze(settings);
}

function refusePair(settings: PoolSettings, one: keyof PoolSettings, other: keyof PoolSettings): void {
  if (settings[one] !== undefined && settings[other] !== undefined) {
    throw new ConfigError(`${one} and ${other} are mutually exclusive: give the one that is to be used`);
  }
}

/** Undefined when unset or empty: telemetry then derives a name from the config. */
function poolName(value: unknown, name: string): string | undefined {
  checkText(value, name);
  return value === '' ? undefined : value;
}

function resetSession(value: unknown, name: string): ResetSession | undefined {
  if (value === undefined || value === 'discard' || typeof value === 'function') {
    return value as ResetSession | undefined;
  }
  throw new ConfigError(`${name} must be 'discard' or a function`);
}

function signal(value: unknown, name: string): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new ConfigError(`${name} must be an AbortSignal`);
}

/** Undefined when keep-alive is off. */
function keepAlive(value: unknown = true, name: string): { readonly initialDelayMs: number } | undefined {
  const initialDelayMs = switchWithTime(value, name, 'initialDelayMs');
  return initialDelayMs === false
    ? undefined
    : Object.freeze({ initialDelayMs: initialDelayMs ?? DEFAULT_KEEP_ALIVE_DELAY_MS });
}

const QUERY_TELEMETRY = {
  metrics: withDefault(checkFlag, true),
  spans: withDefault(checkOneOf(QUERY_SPANS), DEFAULT_QUERY_SPANS),
  text: withDefault(checkOneOf(QUERY_TEXTS), DEFAULT_QUERY_TEXT),
  rows: withDefault(checkFlag, false),
  summary: optional(checkFunction) as Check<QueryTelemetry['summary']>,
  comment: withDefault(checkOneOf(QUERY_COMMENTS), false),
} satisfies Checks<QueryTelemetry>;

/** Undefined when queries are not measured. */
function queryTelemetry(value: unknown = false, name: string): Checked<typeof QUERY_TELEMETRY> | undefined {
  if (value === false) return undefined;
  if (value !== true && typeof value !== 'object') {
    throw new ConfigError(`${name} must be true, false or an object`);
  }
  const fields: Unchecked<QueryTelemetry> = readFields(value === true ? {} : value, name);
  refuseUnknown(fields, Object.keys(QUERY_TELEMETRY), name);
  return Object.freeze(runChecks(QUERY_TELEMETRY, fields, `${name}.`));
}

/** Undefined when the statistics are not logged; an interval of 0 means the default of the stats logger. */
function statsLog(value: unknown = false, name: string): { readonly intervalMs: number } | undefined {
  const intervalMs = switchWithTime(value, name, 'intervalMs');
  return intervalMs === false ? undefined : Object.freeze({ intervalMs: intervalMs ?? 0 });
}

/** Reads a switch that may include a time: false when it is off, undefined when it is on without a time. */
function switchWithTime(value: unknown, name: string, member: string): number | false | undefined {
  if (value === false) return false;
  if (value === true) return undefined;
  if (typeof value !== 'object') throw new ConfigError(`${name} must be true, false or { ${member} }`);
  const fields = readFields(value, name);
  refuseUnknown(fields, [member], name);
  const time = fields[member];
  checkMs(time, `${name}.${member}`);
  return time;
}
