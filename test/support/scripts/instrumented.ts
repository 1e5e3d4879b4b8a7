// An application that registers the pg instrumentation before the driver is loaded. Prints its spans and metrics.
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { meterSdk, tracerSdk } from '../telemetry.js';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const { tracerProvider, spans } = tracerSdk();
const { meterProvider, collect } = meterSdk();
trace.setGlobalTracerProvider(tracerProvider);
metrics.setGlobalMeterProvider(meterProvider);
const instrumentation = new PgInstrumentation();
instrumentation.setTracerProvider(tracerProvider);
instrumentation.setMeterProvider(meterProvider);

const { newPool } = await import('../../../src/index.js');
const { default: pg } = await import('pg');
const config = JSON.parse(process.argv[2] ?? '') as Parameters<typeof newPool>[0];
const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const pool = await newPool({ ...config, maxOpenConns: 1 }, { logger, poolName: 'ours' });

const request = async (name: string, run: () => Promise<unknown>): Promise<void> => {
  const span = trace.getTracer('app').startSpan(name);
  await context.with(trace.setSpan(context.active(), span), run);
  span.end();
};
const byCallback = (text: string): Promise<unknown> =>
  new Promise((resolve) => pool.query(text, (_error: unknown, result: unknown) => resolve(result)));

// The first query dials; the others queue for the same connection, through every form of call.
await Promise.all([
  request('one', () => pool.query('select 1')),
  request('two', () => pool.query('select 2')),
  request('three', () => byCallback('select 3')),
  request('four', async () => {
    const client = await pool.connect();
    await client.query('select 4').finally(() => client.release());
  }),
]);
await request('five', () => pool.query('select 5'));

// The application's other pool is observed by the instrumentation alone.
const other = new pg.Pool({ ...config, database: 'template1', ssl: false, max: 1 });
await request('other', () => other.query('select 6'));

const series = (await collect()).flatMap(({ descriptor, scope, dataPoints }) =>
  dataPoints.map(({ attributes, value }) => ({
    name: descriptor.name,
    scope: scope.name,
    pool: attributes['db.client.connection.pool.name'],
    value: typeof value === 'number' ? value : (value as { count: number }).count,
  })),
);
await pool.end();
await other.end();
const found = spans().map((span) => ({
  name: span.name,
  scope: span.instrumentationScope.name,
  id: span.spanContext().spanId,
  parent: span.parentSpanContext?.spanId,
  statement: span.attributes['db.query.text'] ?? span.attributes['db.statement'],
}));
console.log(JSON.stringify({ spans: found, series }));
