import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  type MetricData,
  MeterProvider,
  MetricReader,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Logger } from '../../src/hooks.js';
import type { PoolGauges, QuerySession } from '../../src/observer.js';
import {
  observePool,
  type PoolIdentity,
  type PoolTelemetry,
  type TelemetryOptions,
} from '../../src/telemetry/index.js';
import type { QuerySettings } from '../../src/telemetry/queries/signals.js';

class ManualReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

export type Attributes = Readonly<Record<string, unknown>>;
export type Point = MetricData['dataPoints'][number];

/** A meter provider of the real SDK that collects on demand. */
export function meterSdk(temporality = AggregationTemporality.CUMULATIVE) {
  const reader = new ManualReader({ aggregationTemporalitySelector: () => temporality });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const collect = async (): Promise<(MetricData & { scope: ScopeMetrics['scope'] })[]> => {
    const { resourceMetrics, errors } = await reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    return resourceMetrics.scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.map((metric) => ({ ...metric, scope })),
    );
  };
  const points = async (name: string): Promise<Point[]> =>
    (await collect())
      .filter((metric) => metric.descriptor.name === name)
      .flatMap((metric) => [...metric.dataPoints]);
  /** The value of the only point of a metric with all these attributes. */
  const value = async (name: string, attributes: Attributes = {}) => {
    const found = (await points(name)).filter((point) => matches(point.attributes, attributes));
    if (found.length !== 1) throw new Error(`${found.length} points of ${name} match`);
    return found[0]?.value;
  };
  return { meterProvider, collect, points, value };
}

/** A tracer provider of the real SDK that keeps its spans. */
export function tracerSdk() {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const spans = () => exporter.getFinishedSpans();
  const span = (name: string) => {
    const found = spans().filter((candidate) => candidate.name === name);
    if (found.length !== 1 || found[0] === undefined)
      throw new Error(`${found.length} spans are named ${name}`);
    return found[0];
  };
  return { tracerProvider, spans, span };
}

/** The name of a connect span with {@link IDENTITY}. */
export const CONNECT = 'CONNECT shop';
/** The target of a connection attempt that was not changed by a hook. */
export const DIALLED = { host: 'db.example', port: 5432, database: 'shop', tls: true };

export const spanId = (span: ReadableSpan) => span.spanContext().spanId;
export const parentId = (span: ReadableSpan) => span.parentSpanContext?.spanId;
export const startMs = ({ startTime: [s, ns] }: ReadableSpan) => s * 1000 + ns / 1e6;
export const endMs = ({ endTime: [s, ns] }: ReadableSpan) => s * 1000 + ns / 1e6;

export interface Entry {
  readonly level: keyof Logger;
  readonly fields: Record<string, unknown>;
  readonly message: string;
  /** The span that was active when the record was written. */
  readonly spanId: string | undefined;
}

/** A logger that keeps its records. */
export function keptLogs() {
  const entries: Entry[] = [];
  const at = (level: keyof Logger) => (fields: object, message: string) => {
    entries.push({
      level,
      fields: { ...fields },
      message,
      spanId: trace.getActiveSpan()?.spanContext().spanId,
    });
  };
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn') };
  return {
    logger,
    entries,
    named: (message: string) => entries.filter((entry) => entry.message === message),
  };
}

export const IDENTITY: PoolIdentity = {
  poolName: undefined,
  host: 'db.example',
  port: 5432,
  database: 'shop',
  authProvider: undefined,
  tlsMode: 'verify-full',
};

/** A session with {@link IDENTITY}. */
export const SESSION: QuerySession = {
  host: IDENTITY.host,
  port: IDENTITY.port,
  database: IDENTITY.database,
  pid: 7,
  peerAddress: '192.0.2.1',
};

/** The option `queryTelemetry` with its defaults and these changes. */
export function measured(changes: Partial<QuerySettings> = {}): QuerySettings {
  return {
    ...{ metrics: true, spans: 'always', text: 'parameterized', rows: false },
    ...{ summary: undefined, comment: false },
    ...changes,
  };
}

/** The gauges of two hosts. */
export const HOST_GAUGES: PoolGauges['hosts'] = [
  { host: 'a.example', port: 5432, connections: 3 },
  { host: 'b.example', port: 5433, connections: 0 },
];

export type MutableGauges = { -readonly [K in keyof PoolGauges]: PoolGauges[K] };

export function idleGauges(changes: Partial<PoolGauges> = {}): MutableGauges {
  return {
    used: 0,
    idle: 0,
    connecting: 0,
    hosts: [],
    limit: 10,
    idleMin: 0,
    unreachable: false,
    rejectedAcquires: 0,
    pipelined: 0,
    pending: 0,
    longestUseMs: 0,
    longestWaitMs: 0,
    acquireTimeouts: 0,
    emptyAcquires: 0,
    emptyAcquireWaitMs: 0,
    canceledAcquires: 0,
    ...changes,
  };
}

const open: PoolTelemetry[] = [];

/** Telemetry as `newPool` creates it; `cleanUp` ends it. */
export function observed(
  identity: Partial<PoolIdentity> = {},
  options: Partial<TelemetryOptions> = {},
): PoolTelemetry {
  const telemetry = observePool(
    { ...IDENTITY, ...identity },
    { logger: keptLogs().logger, acquireSpan: 'auto', ...options },
  );
  open.push(telemetry);
  return telemetry;
}

export function useContextManager(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

/** Ends all telemetry of `observed` and unregisters all globals. */
export function cleanUp(): void {
  for (const telemetry of open.splice(0)) telemetry.observer.ended();
  metrics.disable();
  trace.disable();
  context.disable();
}

function matches(attributes: Attributes, wanted: Attributes): boolean {
  return Object.entries(wanted).every(([key, value]) => attributes[key] === value);
}
