import { setTimeout as sleep } from 'node:timers/promises';
import { SpanStatusCode } from '@opentelemetry/api';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import type { PoolClient } from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { InstrumentedPool, PoolOptions } from '../../../src/index.js';
import { summaryOf } from '../../../src/sql/summary.js';
import { ATTR, METRIC } from '../../../src/telemetry/names.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import {
  cleanUp,
  meterSdk,
  parentId,
  spanId,
  tracerSdk,
  useContextManager,
} from '../../support/telemetry.js';
import { rejection, until } from '../../support/until.js';
import { KINDS, SCHEMA, type Kind, type Limits } from './kinds.js';

const server = usePostgres({ settings: { log_statement: 'all', log_line_prefix: '%a ' } });
const makePool = usePools(server);
const REASON = new TypeError('no longer wanted');

let meter: ReturnType<typeof meterSdk>;
let tracer: ReturnType<typeof tracerSdk>;

beforeAll(() => server().query(SCHEMA));
beforeEach(() => {
  useContextManager();
  meter = meterSdk();
  tracer = tracerSdk();
});
afterEach(cleanUp);

function measuredPool(options: PoolOptions = {}): Promise<InstrumentedPool> {
  return makePool(
    server(),
    { maxOpenConns: 1 },
    {
      meterProvider: meter.meterProvider,
      tracerProvider: tracer.tracerProvider,
      acquireSpan: 'never',
      queryTelemetry: { rows: true },
      poolName: 'p',
      ...options,
    },
  );
}

const spans = () => tracer.spans().filter(({ attributes }) => ATTR.dbQuerySummary in attributes);

async function points({ name }: { readonly name: string }) {
  return (await meter.points(name)).map(({ attributes, value }) => {
    const { count, sum } = value as Histogram;
    return { attributes, count, sum: sum ?? NaN };
  });
}

interface Expected {
  readonly summary: string;
  readonly text: string | undefined;
  readonly rows?: number | undefined;
  readonly errorType?: string;
  readonly status?: string;
}

/** Checks all telemetry of one operation that ended as expected, under its caller's span. */
async function expectOne(expected: Expected, pid: number): Promise<void> {
  await until(
    'the query has ended',
    async () => spans().length + (await points(METRIC.operationDuration)).length >= 2,
  );
  const { host, port, database } = server();
  const failure = {
    ...(expected.errorType !== undefined && { [ATTR.errorType]: expected.errorType }),
    ...(expected.status !== undefined && { [ATTR.dbResponseStatusCode]: expected.status }),
  };
  const attributes = {
    [ATTR.dbSystemName]: 'postgresql',
    [ATTR.dbNamespace]: database,
    [ATTR.serverAddress]: host,
    [ATTR.serverPort]: port,
    [ATTR.poolName]: 'p',
    [ATTR.dbQuerySummary]: expected.summary,
  };
  const [span, ...otherSpans] = spans();
  const [duration, ...others] = await points(METRIC.operationDuration);
  expect([otherSpans.map(({ name }) => name), others]).toEqual([[], []]);
  expect(duration).toMatchObject({ attributes: { ...attributes, ...failure }, count: 1 });
  expect(Object.keys(duration?.attributes ?? {})).toHaveLength(
    Object.keys({ ...attributes, ...failure }).length,
  );
  expect(await points(METRIC.returnedRows)).toEqual(
    expected.rows === undefined ? [] : [{ attributes, count: 1, sum: expected.rows }],
  );
  expect(span?.name).toBe(expected.summary);
  expect(span?.attributes).toEqual({
    ...attributes,
    ...failure,
    ...(expected.text !== undefined && { [ATTR.dbQueryText]: expected.text }),
    ...(expected.rows !== undefined && { [ATTR.dbResponseReturnedRows]: expected.rows }),
    [ATTR.networkPeerAddress]: host,
    [ATTR.connectionPid]: pid,
  });
  expect(span?.status).toEqual({
    code: expected.errorType === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR,
  });
  expect([span?.events, span && parentId(span)]).toEqual([[], spanId(tracer.span('request'))]);
  // The span and the metric have about the same duration.
  const [seconds = NaN, nanoseconds = NaN] = span?.duration ?? [];
  expect(Math.abs(seconds + nanoseconds / 1e9 - (duration?.sum ?? NaN))).toBeLessThan(0.05);
}

interface Ran {
  /** `ok`, or the error of the query. */
  readonly outcome: Promise<unknown>;
  readonly pid: number;
  readonly client: PoolClient;
}

/** Starts one query of a kind under its caller's span. */
async function start(kind: Kind, which: keyof Kind['text'], limits: Limits = {}): Promise<Ran> {
  const pool = await measuredPool();
  const client = await pool.connect();
  const { processID: pid } = client as unknown as { processID: number };
  const outcome = tracer.tracerProvider.getTracer('app').startActiveSpan('request', (span) => {
    const ran = kind.run(client, kind.text[which], limits);
    span.end();
    return ran.then(
      () => 'ok',
      (error: unknown) => error,
    );
  });
  return { outcome, pid, client };
}

/** Starts a query that the server does not answer, and waits until the server runs it. */
async function startSlow(kind: Kind, limits: Limits = {}): Promise<Ran> {
  const ran = await start(kind, 'slow', limits);
  await until('the server runs it', () => isRunning(ran.pid));
  return ran;
}

async function isRunning(pid: number): Promise<boolean> {
  const { rowCount } = await server().query(
    "SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query LIKE '%items%' OR pid = $1 AND query LIKE 'COPY%'",
    [pid],
  );
  return rowCount === 1;
}

describe.each(KINDS)('$name', (kind) => {
  const shown = (which: keyof Kind['text']) => (kind.parameterized ? kind.text[which] : undefined);
  const stopped = (errorType: string) => ({ summary: kind.summary.slow, text: shown('slow'), errorType });

  test('that is answered', async () => {
    const { outcome, pid, client } = await start(kind, 'ok');
    expect(await outcome).toBe('ok');
    await expectOne({ summary: kind.summary.ok, text: shown('ok'), rows: kind.rows }, pid);
    client.release();
  });

  test('that fails on the server', async () => {
    const { outcome, pid, client } = await start(kind, 'error');
    const { code } = (await outcome) as { code: string };
    expect(code).toMatch(/^22012$|^42P01$/);
    const failure = { errorType: code, status: code };
    await expectOne({ summary: kind.summary.error, text: shown('error'), ...failure }, pid);
    client.release();
  });

  test('whose connection is lost', async () => {
    const { pid, client } = await startSlow(kind);
    await server().query('SELECT pg_terminate_backend($1)', [pid]);
    await expectOne({ ...stopped('57P01'), status: '57P01' }, pid);
    client.release();
  });

  test('that is aborted', async () => {
    const controller = new AbortController();
    const { outcome, pid, client } = await startSlow(kind, { signal: controller.signal });
    controller.abort(REASON);
    expect(await outcome).toBe(REASON);
    await expectOne(stopped('query_aborted'), pid);
    expect(await canceled()).toEqual({ aborted: 1, timeout: 0 });
    client.release();
  });

  const timesOut = async (): Promise<void> => {
    const { outcome, pid, client } = await start(kind, 'slow', { timeoutMs: 50 });
    expect(await outcome).toMatchObject({ code: 'ERR_PGAUGE_QUERY_TIMEOUT' });
    await expectOne(stopped('query_timeout'), pid);
    expect(await canceled()).toEqual({ aborted: 0, timeout: 1 });
    client.release();
  };
  if (kind.hasTimeLimit) test('that times out', timesOut);
});

async function canceled(): Promise<Record<string, unknown>> {
  const found = await meter.points(METRIC.queryCanceled.name);
  return Object.fromEntries(
    found.map(({ attributes, value }) => [String(attributes[ATTR.queryCancelReason]), value]),
  );
}

/** The number of recorded queries, by summary and outcome. */
async function summaries(): Promise<[summary: string, count: number][]> {
  const found = await points(METRIC.operationDuration);
  return found.map(({ attributes, count }) => [String(attributes[ATTR.dbQuerySummary]), count]);
}

describe('the telemetry of queries', () => {
  test('includes LISTEN', async () => {
    const pool = await measuredPool();
    await pool.query('LISTEN news');
    expect(await summaries()).toEqual([['LISTEN news', 1]]);
  });

  test('includes queries of connect listeners and of afterConnect, each once', async () => {
    const pool = await measuredPool({
      afterConnect: async (client) => {
        await client.query('SET search_path TO public');
      },
    });
    pool.on('connect', (client: PoolClient) => {
      void client.query('LISTEN news');
    });
    await pool.query('SELECT n FROM items');
    expect(await summaries()).toEqual([
      ['SET search_path', 1],
      ['LISTEN news', 1],
      ['SELECT items', 1],
    ]);
    const init = tracer.span('pgauge.connection.init');
    expect(spans().map((span) => [span.name, parentId(span) === spanId(init)])).toContainEqual([
      'SET search_path',
      true,
    ]);
  });

  test('includes neither pings nor cancel requests of the pool', async () => {
    const pool = await measuredPool();
    const client = await pool.connect();
    await rejection(client.query({ text: 'SELECT pg_sleep(60)', timeoutMs: 50 }));
    client.release();
    // A connection that was idle for more than a second is pinged.
    await sleep(1_100);
    await pool.query('SELECT n FROM items');
    expect(await summaries()).toEqual([
      ['SELECT', 1],
      ['SELECT items', 1],
    ]);
  });

  test('measures pool.query without the wait for its connection', async () => {
    const pool = await measuredPool();
    const client = await pool.connect();
    const waiting = pool.query('SELECT n FROM items');
    await client.query('SELECT pg_sleep(1)');
    client.release();
    await waiting;
    const found = (await points(METRIC.operationDuration)).map(({ attributes, sum }) => [
      attributes[ATTR.dbQuerySummary],
      sum >= 1,
    ]);
    expect(found).toEqual([
      ['SELECT', true],
      ['SELECT items', false],
    ]);
  });
});

/** The texts that the application `measured` had executed, from the server's log. */
function executed(): string[] {
  const lines = server()
    .log()
    .matchAll(/^measured LOG: {2}(?:statement|execute (?!fetch )[^:]*): (.*)/gm);
  return [...lines].map(([, text = '']) => text);
}

test('every statement is counted as often as the server executed it, under its summary', async () => {
  const pool = await measuredPool({ pg: { application_name: 'measured' } });
  let count = 0;
  for (const kind of KINDS) {
    const client = await pool.connect();
    for (let n = 0; n < 3; n++) await kind.run(client, kind.text.ok, {});
    await rejection(kind.run(client, kind.text.error, {}));
    // After an error in a stream of rows, the driver is out of step with the server.
    client.release(true);
    count += 4;
  }
  await until('the last has ended', () => spans().length === count);
  const expected = new Map<string, number>();
  const counted = new Map<string, number>();
  const add = (to: Map<string, number>, summary: string, n: number) =>
    to.set(summary, (to.get(summary) ?? 0) + n);
  for (const text of executed()) add(expected, summaryOf(text), 1);
  for (const [summary, n] of await summaries()) add(counted, summary, n);
  expect([...expected.values()].reduce((sum, n) => sum + n, 0)).toBe(count);
  expect(counted).toEqual(expected);
});
