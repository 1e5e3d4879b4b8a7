// Runs as JavaScript in a folder that has pgauge, pg, one version of the API and at most one of the SDK.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { Meter, Tracer } from '@opentelemetry/api';
import * as imported from '@opentelemetry/api';
import { newPool, type InstrumentedPool, type PoolOptions } from '../../src/index.js';
import {
  loadSdk,
  register,
  start,
  unregister,
  type Api,
  type ReadableSpan,
  type Sdk,
  type Started,
} from './check-sdk.js';

const settings = JSON.parse(process.env['CHECK'] ?? '{}') as {
  config: { host: string; port: number; user: string; password: string; database: string };
  tracePackage?: string;
};
const { database } = settings.config;
const require = createRequire(import.meta.url);
/** The copy for `require`, which since 1.10 differs from the one for `import`. */
const required = require('@opentelemetry/api') as Api;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

const pool = (options: PoolOptions = {}): Promise<InstrumentedPool> =>
  newPool(
    { ...settings.config, sslMode: 'disable', maxOpenConns: 1 },
    { logger: silent, beforeConnect: () => undefined, afterConnect: () => undefined, ...options },
  );

/** One request that dials, and one that waits for the same connection. */
async function useOnce(made: InstrumentedPool, api: Api): Promise<void> {
  await api.trace.getTracer('app').startActiveSpan('request', async (span) => {
    const client = await made.connect();
    const waiting = made.query('select 1');
    client.release();
    await waiting;
    span.end();
  });
}

/** Checks names, units and values of the metrics of a pool that served `acquires` with one connection. */
async function expectMetrics(started: Started, acquires: number): Promise<void> {
  const metrics = await started.collect();
  const metric = (name: string) => {
    const found = metrics.get(name);
    assert.ok(found, `${name} is missing among ${[...metrics.keys()].join(', ')}`);
    return found;
  };
  const numbers = (name: string): unknown[] => metric(name).dataPoints.map(({ value }) => value);
  const states = metric('db.client.connection.count').dataPoints.map(
    ({ attributes, value }) => [attributes['db.client.connection.state'], value] as const,
  );
  assert.deepEqual(Object.fromEntries(states), { used: 0, idle: 1, connecting: 0 });
  assert.equal(metric('db.client.connection.count').descriptor.unit, '{connection}');
  assert.deepEqual(numbers('db.client.connection.limit'), [1]);
  assert.deepEqual(numbers('db.client.connection.pending_requests'), [0]);
  assert.deepEqual(numbers('db.client.connection.timeouts'), [0]);
  assert.deepEqual(numbers('pgauge.connection.opened'), [1]);
  assert.equal(metric('pgauge.connection.closed').dataPoints.length, 13);
  assert.deepEqual(numbers('pgauge.pool.info'), [1]);
  const [wait] = metric('db.client.connection.wait_time').dataPoints;
  assert.ok(typeof wait?.value === 'object');
  assert.equal(wait.value.count, acquires);
  // The advice was used: without it every sample falls into the first bucket.
  assert.equal(wait.value.buckets.boundaries[0], 0.0005);
  assert.equal(metric('db.client.connection.wait_time').descriptor.unit, 's');
}

async function expectNothing(started: Started): Promise<void> {
  assert.deepEqual([...(await started.collect()).keys()], []);
  assert.deepEqual(
    started.spans.filter(({ name }) => name !== 'request'),
    [],
  );
}

/** Checks the spans of a request that dialled, each under the right parent. */
function expectSpans(spans: readonly ReadableSpan[], { root = true } = {}): void {
  const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  const found = spans.map((span) => {
    const parent = span.parentSpanContext?.spanId ?? span.parentSpanId ?? '';
    const reason = span.attributes['pgauge.acquire.reason'];
    return [span.name, names.get(parent), ...(reason === undefined ? [] : [reason])].join(' < ');
  });
  const request = root ? 'request' : '';
  assert.deepEqual(
    found.sort(),
    [
      ...(root ? ['request < '] : []),
      `pgauge.pool.acquire < ${request} < new_connection`,
      `pgauge.pool.acquire < ${request} < exhausted`,
      `CONNECT ${database} < pgauge.pool.acquire`,
      `pgauge.connect.hook < CONNECT ${database}`,
      `pgauge.connection.init < CONNECT ${database}`,
    ].sort(),
  );
  const connect = spans.find(({ name }) => name.startsWith('CONNECT'));
  assert.equal(connect?.kind, imported.SpanKind.CLIENT);
}

/**
 * Runs queries that are answered, fail and are stopped; checks that each has its metric and its span under the request.
 */
async function expectQueries(sdk: Sdk, api: Api): Promise<void> {
  const started = start(sdk);
  register(api, sdk, started);
  const made = await pool({ queryTelemetry: { rows: true }, acquireSpan: 'never' });
  await made.query('select 1');
  started.spans.length = 0;
  await api.trace.getTracer('app').startActiveSpan('request', async (request) => {
    await made.query('select n from generate_series(1, $1) as n', [3]);
    await assert.rejects(made.query('select no_column from pg_class'), { code: '42703' });
    await assert.rejects(made.query({ text: 'select pg_sleep(60) from pg_am', timeoutMs: 50 }));
    request.end();
  });
  const [request] = started.spans.filter(({ name }) => name === 'request');
  const told = started.spans
    .filter(({ name }) => name !== 'request')
    .map(({ name, kind, attributes, parentSpanContext, parentSpanId }) => {
      assert.equal(kind, api.SpanKind.CLIENT);
      assert.equal(parentSpanContext?.spanId ?? parentSpanId, request?.spanContext().spanId);
      return [name, attributes['db.response.returned_rows'] ?? attributes['error.type']];
    });
  assert.deepEqual(told, [
    ['select generate_series', 3],
    ['select pg_class', '42703'],
    ['select pg_am', 'query_timeout'],
  ]);
  const metrics = await started.collect();
  const points = (name: string) => metrics.get(name)?.dataPoints ?? [];
  assert.deepEqual(
    points('db.client.operation.duration').map(({ attributes, value }) => [
      attributes['db.query.summary'],
      attributes['error.type'],
      typeof value === 'object' && [value.count, value.buckets.boundaries[0]],
    ]),
    [
      ['select', undefined, [1, 0.001]],
      ['select generate_series', undefined, [1, 0.001]],
      ['select pg_class', '42703', [1, 0.001]],
      ['select pg_am', 'query_timeout', [1, 0.001]],
    ],
  );
  assert.equal(points('db.client.response.returned_rows').length, 2);
  assert.deepEqual(
    points('pgauge.query.canceled').map(({ value }) => value),
    [1, 0],
  );
  await made.end();
  unregister(api);
}

const withoutSdk: Record<string, () => Promise<void>> = {
  'no SDK at all': async () => {
    const made = await pool();
    await useOnce(made, imported);
    assert.deepEqual((await made.query('select 2 as two')).rows, [{ two: 2 }]);
    assert.equal(made.stat().acquireCount, 3);
    await made.end();
  },
};

function withSdk(sdk: Sdk): Record<string, () => Promise<void>> {
  const registeredBy = (api: Api) => async () => {
    const started = start(sdk);
    register(api, sdk, started);
    const made = await pool();
    await useOnce(made, api);
    await expectMetrics(started, 2);
    expectSpans(started.spans);
    await made.end();
    unregister(api);
  };
  const registeredLate = (api: Api) => async () => {
    const made = await pool();
    await useOnce(made, api);
    const started = start(sdk);
    register(api, sdk, started);
    // The dial before has its count and no span; this one has both.
    made.reset();
    await useOnce(made, api);
    expectSpans(started.spans);
    const metrics = await started.collect();
    assert.deepEqual(
      metrics.get('pgauge.connection.opened')?.dataPoints.map(({ value }) => value),
      [2],
    );
    const wait = metrics.get('db.client.connection.wait_time')?.dataPoints[0]?.value;
    assert.equal(typeof wait === 'object' ? wait.count : undefined, 2);
    await made.end();
    unregister(api);
  };
  const explicit =
    (choose: (given: Started) => PoolOptions, has: { metrics: boolean; spans: boolean }) => async () => {
      const [global, given] = [start(sdk), start(sdk)];
      register(imported, sdk, global);
      const made = await pool(choose(given));
      await useOnce(made, imported);
      if (has.metrics) {
        await expectMetrics(given, 2);
        assert.equal((await global.collect()).size, 0);
      } else await expectMetrics(global, 2);
      if (has.spans) {
        expectSpans(given.spans, { root: false });
        assert.deepEqual(
          global.spans.map(({ name }) => name),
          ['request'],
        );
      } else expectSpans(global.spans);
      await made.end();
      unregister(imported);
    };

  return {
    'an SDK registered before the pool': registeredBy(imported),
    'an SDK registered before the pool, through require': registeredBy(required),
    'queries that are measured': () => expectQueries(sdk, imported),
    'queries that are measured, through require': () => expectQueries(sdk, required),
    'an SDK registered after the pool': registeredLate(imported),
    'an SDK registered after the pool, through require': registeredLate(required),
    'an SDK that takes the place of another': async () => {
      const [first, second] = [start(sdk), start(sdk)];
      register(imported, sdk, first);
      const made = await pool();
      await useOnce(made, imported);
      unregister(imported);
      register(imported, sdk, second);
      await useOnce(made, imported);
      await expectMetrics(second, 2);
      await made.end();
      unregister(imported);
    },
    'a meter': explicit(({ meterProvider }) => ({ meter: meterProvider.getMeter('mine') }), {
      metrics: true,
      spans: false,
    }),
    'a meterProvider': explicit(({ meterProvider }) => ({ meterProvider }), { metrics: true, spans: false }),
    'a tracer': explicit(({ tracerProvider }) => ({ tracer: tracerProvider.getTracer('mine') }), {
      metrics: false,
      spans: true,
    }),
    'a tracerProvider': explicit(({ tracerProvider }) => ({ tracerProvider }), {
      metrics: false,
      spans: true,
    }),
    'a meter and a tracer that do nothing': async () => {
      const started = start(sdk);
      register(imported, sdk, started);
      const none: Meter = imported.createNoopMeter();
      const span = imported.trace.wrapSpanContext(imported.INVALID_SPAN_CONTEXT);
      const noTracer = { startSpan: () => span } as unknown as Tracer;
      const made = await pool({ meter: none, tracer: noTracer });
      await useOnce(made, imported);
      await expectNothing(started);
      await made.end();
      unregister(imported);
    },
  };
}

const checks =
  settings.tracePackage === undefined
    ? withoutSdk
    : { ...withoutSdk, ...withSdk(await loadSdk(settings.tracePackage)) };
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
  } catch (error) {
    console.error(`with ${name}:`, error);
    process.exit(1);
  }
}
console.log(`${Object.keys(checks).length} checks`);
