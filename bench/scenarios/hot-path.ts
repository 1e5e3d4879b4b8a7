import type { Amount, Scenario } from '../scenario.js';

/** Many short turns, so that what disturbs one contender disturbs the others too, in many processes, since these differ. */
const QUERIES: Amount = { generations: 8, rounds: 12, size: { queries: 1_000, warmUp: 20_000 } };

export const query: Scenario = {
  name: 'query',
  title: 'A query on a warm pool',
  about:
    "`pool.query('select 1')`, as many at a time as the concurrency says, on a pool of as many connections as `max` says, without TLS. CPU is that of the client process, user and system. `floor` is `pg.Pool` with two records made by hand, of the SDK with `metrics`, of the bare API without.",
  program: 'query',
  contenders: [
    'raw',
    'raw again',
    'pgauge',
    'pgauge metrics',
    'pgauge metrics traces',
    'pgauge metrics unsampled',
    'floor',
    'floor metrics',
    'raw instrumented metrics',
    'raw instrumented metrics traces',
  ],
  variants: [
    { concurrency: 1, max: 1 },
    { concurrency: 10, max: 10 },
    { concurrency: 100, max: 10 },
    { concurrency: 100, max: 100 },
  ],
  measures: [
    { key: 'cpuUs', title: 'CPU, µs a query' },
    { key: 'wallUs', title: 'wall, µs a query' },
  ],
  full: QUERIES,
  quick: {
    variants: [{ concurrency: 10, max: 10 }],
    generations: 1,
    rounds: 1,
    size: { queries: 200, warmUp: 100 },
  },
};

export const queryTelemetry: Scenario = {
  name: 'query-telemetry',
  title: 'A query that is measured',
  about:
    'The same query with query telemetry: `queries` is `queryTelemetry`, with spans where there are traces, beside `@opentelemetry/instrumentation-pg`. `floor` records by hand: two values of the pool, a third one of the query, and where there are traces a span. Each process has a second pool without that telemetry, of the same kind and with the same SDK; the two take turns, and what was added is the difference. Nothing is added to `raw`: its figure is the noise.',
  program: 'added',
  contenders: [
    'raw',
    'raw instrumented metrics',
    'raw instrumented metrics traces',
    'pgauge metrics queries',
    'pgauge metrics traces queries',
    'floor metrics queries',
    'floor metrics traces queries',
  ],
  variants: [{ concurrency: 10, max: 10 }],
  measures: [
    { key: 'addedUs', title: 'CPU added, µs a query', compared: false },
    { key: 'cpuUs', title: 'CPU, µs a query' },
    { key: 'wallUs', title: 'wall, µs a query' },
  ],
  full: { ...QUERIES, rounds: 25 },
  quick: { generations: 1, rounds: 1, size: { queries: 200, warmUp: 100 } },
};

export const pipelined: Scenario = {
  name: 'pipelined',
  title: 'Queries that share connections',
  about:
    "`pool.query('select $1::int', [1])`, as many at a time as the concurrency says, on 10 connections without TLS. With `pipelining` up to 16 are in flight on each; `pipelined clients` are 10 clients of `pg` that pipeline, by turns, without a pool.",
  program: 'pipelined',
  contenders: [
    'raw',
    'raw again',
    'pgauge',
    'pgauge metrics',
    'pgauge pipelining',
    'pgauge pipelining metrics',
    'pipelined clients',
  ],
  variants: [1, 10, 100].map((concurrency) => ({ concurrency, max: 10 })),
  measures: [
    { key: 'cpuUs', title: 'CPU, µs a query' },
    { key: 'wallUs', title: 'wall, µs a query' },
  ],
  full: QUERIES,
  quick: {
    variants: [{ concurrency: 100, max: 10 }],
    generations: 1,
    rounds: 1,
    size: { queries: 200, warmUp: 100 },
  },
};

export const checkout: Scenario = {
  name: 'checkout',
  title: 'Acquire and release',
  about: '`(await pool.connect()).release()` on a warm pool of one connection, in CPU time.',
  program: 'checkout',
  contenders: [
    'raw',
    'raw again',
    'pgauge',
    'pgauge noop-meter',
    'pgauge metrics',
    'pgauge metrics context',
    'pgauge metrics traces',
    'pgauge metrics unsampled',
    'raw instrumented metrics',
    'raw instrumented metrics traces',
  ],
  variants: [{ max: 1 }],
  measures: [{ key: 'ns', title: 'CPU, ns a checkout' }],
  full: { generations: 3, rounds: 6, size: { checkouts: 100_000, warmUp: 100_000 } },
  quick: { generations: 1, rounds: 1, size: { checkouts: 2_000, warmUp: 1_000 } },
};

export const allocation: Scenario = {
  name: 'allocation',
  title: 'What a checkout allocates',
  about:
    'The same checkout: what it allocates on the heap, counted over a thousand of them without a collection in between, which is why the young generation is larger here.',
  program: 'allocation',
  contenders: [
    'raw',
    'raw again',
    'pgauge',
    'pgauge noop-meter',
    'pgauge metrics',
    'raw instrumented metrics',
  ],
  variants: [{ max: 1 }],
  measures: [{ key: 'bytes', title: 'bytes a checkout' }],
  full: { generations: 2, rounds: 7, size: { checkouts: 1_000, warmUp: 100_000 } },
  quick: { generations: 1, rounds: 1, size: { checkouts: 100, warmUp: 500 } },
  flags: ['--min-semi-space-size=64', '--max-semi-space-size=64'],
};

export const observer: Scenario = {
  name: 'observer',
  title: "Telemetry's part of a checkout",
  about:
    'What the pool calls for one checkout, without the pool, beside two plain histogram records with one attribute: the difference is our own share.',
  program: 'observer',
  contenders: ['two records', 'two records again', 'observer metrics', 'observer', 'observer noop-meter'],
  variants: [{}],
  measures: [{ key: 'ns', title: 'CPU, ns a checkout' }],
  full: { generations: 3, rounds: 7, size: { checkouts: 300_000 } },
  quick: { generations: 1, rounds: 1, size: { checkouts: 5_000 } },
};
