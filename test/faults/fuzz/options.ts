import fc from 'fast-check';
import { newPool, type PoolOptions } from '../../../src/index.js';
import { expectClear, hold, outcome, SECRET, SILENT, shaky, type Target } from './target.js';

const REASON = new Error('aborted before it began');
const ms = fc.oneof(fc.nat(100_000), fc.constantFrom(2 ** 31 - 1, 0, 0.5));
const works = (): unknown => ({
  add: () => undefined,
  record: () => undefined,
  addCallback: () => undefined,
  removeCallback: () => undefined,
});
/** The error that loggers and providers throw, which must never surface. */
const PROVIDERS = new Error('thrown by a provider');
const throws = (): never => {
  throw PROVIDERS;
};
const method = fc.constantFrom<unknown>(
  works,
  throws,
  () => undefined,
  () => 1,
);
const meter = fc.record(
  {
    createHistogram: method,
    createCounter: method,
    createUpDownCounter: method,
    createGauge: method,
    createObservableGauge: method,
    createObservableCounter: method,
    createObservableUpDownCounter: method,
    addBatchObservableCallback: method,
    removeBatchObservableCallback: method,
  },
  { requiredKeys: [] },
);
const tracer = fc.record({ startSpan: method, startActiveSpan: method }, { requiredKeys: [] });
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
const pem = fc.oneof(
  text,
  fc.constantFrom('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', Buffer.from('x')),
);

const fields = {
  beforeConnect: fc.constant(() => undefined),
  afterConnect: fc.constant(() => undefined),
  logger: fc.oneof(
    fc.constant(SILENT),
    fc.constant({ debug: throws, info: throws, warn: throws }),
    fc.constant({ debug: throws, info: () => Promise.reject(PROVIDERS), warn: throws }),
  ),
  meter,
  tracer,
  meterProvider: meter.map((made) => ({ getMeter: () => made })),
  tracerProvider: tracer.map((made) => ({ getTracer: () => made })),
  poolName: text,
  signal: fc.constantFrom(AbortSignal.abort(REASON), new AbortController().signal),
  ssl: shaky({
    ca: fc.oneof(pem, fc.array(pem)),
    cert: pem,
    key: fc.oneof(pem, fc.constant(SECRET)),
    passphrase: fc.constant(SECRET),
    servername: text,
    minVersion: fc.constantFrom('TLSv1.2', 'TLSv1.3', 'TLSv1'),
  }),
  connectTimeoutMs: ms,
  acquireTimeoutMs: ms,
  queryTimeoutMs: ms,
  endTimeoutMs: ms,
  idleTimeoutMs: ms,
  connMaxLifetimeJitterMs: ms,
  healthCheckPeriodMs: ms,
  leakDetectionMs: ms,
  maxUses: fc.nat(),
  maxConnecting: fc.nat(20),
  keepAlive: fc.oneof(fc.boolean(), shaky({ initialDelayMs: ms })),
  acquireSpan: fc.constantFrom('auto', 'always', 'never', 'sometimes'),
  queryTelemetry: fc.oneof(
    fc.boolean(),
    shaky({
      metrics: fc.boolean(),
      spans: fc.constantFrom('always', 'child', 'never', 'sometimes'),
      text: fc.constantFrom('parameterized', 'sanitized', 'never', 'always'),
      rows: fc.boolean(),
      summary: method,
      comment: fc.constantFrom(false, true, 'service', 'trace'),
    }),
  ),
  slowQueryMs: ms,
  statsLog: fc.oneof(fc.boolean(), shaky({ intervalMs: ms })),
  pg: shaky({
    application_name: text,
    statement_timeout: fc.oneof(ms, fc.constant(false)),
    options: text,
    types: fc.constant({ getTypeParser: throws }),
    client_encoding: text,
    enableChannelBinding: fc.boolean(),
    scramMaxIterations: fc.nat(),
    password: fc.constant(SECRET),
    host: text,
  }),
};

// A few at a time: of many options, one is nearly always invalid.
const options = fc
  .subarray(Object.entries(fields), { maxLength: 5 })
  .chain((some) => shaky(Object.fromEntries<fc.Arbitrary<unknown>>(some)));

const input = fc.record({
  options,
  sslMode: fc.constantFrom('disable', 'require', 'verify-full'),
  password: fc.constant(SECRET),
});

/** `newPool` with options of any kind, and providers and loggers that throw. */
export const optionObjects: Target = {
  name: 'options objects',
  share: 15,
  input,
  async attempt(given) {
    const {
      options: any,
      sslMode,
      password,
    } = given as { options: unknown; sslMode: 'disable'; password: string };
    const config = { host: '127.0.0.1', port: 1, user: 'u', database: 'd', sslMode, password };
    // A logger of null counts as unset, and the default logger would write.
    const quiet = withLogger(any);
    const made = await outcome(() => newPool(config, quiet as PoolOptions));
    if ('value' in made) {
      const ended = await outcome(() => made.value.end());
      hold('value' in ended, 'end() failed', ended);
    } else expectClear(made.error, [REASON]);
  },
};

function withLogger(any: unknown): unknown {
  if (typeof any !== 'object' || any === null || Array.isArray(any)) return any ?? { logger: SILENT };
  try {
    const { logger } = any as { logger?: unknown };
    return logger == null ? { ...any, logger: SILENT } : any;
  } catch {
    return any;
  }
}
