import { expect, it } from 'vitest';
import { figuresOf } from '../../../src/watch/figures.js';
import { MOST_POOLS, readingOf } from '../../../src/watch/reading.js';

/** The output of both exporters for the same pool. */
const js = (labels: string, scale = 1): string => `
pgauge_pool_info{${labels}} 1
db_client_connection_count{${labels},db_client_connection_state="used"} 3
db_client_connection_count{${labels},db_client_connection_state="idle"} 2
db_client_connection_limit{${labels}} 10
db_client_connection_wait_time_bucket{${labels},le="1"} ${2 * scale}
db_client_connection_wait_time_bucket{${labels},le="+Inf"} ${2 * scale}
pgauge_pool_longest_wait{${labels}} 0.5
pgauge_connection_opened_total{${labels}} ${5 * scale}
pgauge_connection_closed_total{${labels},pgauge_connection_close_reason="lifetime"} ${4 * scale}
`;
const collector = (labels: string): string =>
  js(labels)
    .replaceAll('wait_time_bucket', 'wait_time_seconds_bucket')
    .replace('longest_wait', 'longest_wait_seconds');

const label = (pool: string, instance?: string): string =>
  `db_client_connection_pool_name="${pool}"${instance === undefined ? '' : `,instance="${instance}"`}`;

it('a reading is the same from the names of both exporters', () => {
  const [a, b] = [js, collector].map((text) => readingOf(text(label('p')), 1));
  expect(a).toEqual(b);
  expect(a?.pools).toHaveLength(1);
  expect(a?.pools[0]).toMatchObject({ used: 3, idle: 2, limit: 10, longestWaitS: 0.5, opened: 5 });
});

it('a reading sums the selected pools, and has rates and latencies since the previous one', () => {
  const text = (scale: number): string =>
    js(label('p', 'a'), scale) + js(label('p', 'b'), scale) + js(label('q', 'a'), scale);
  const [before, now] = [readingOf(text(1), 1_000), readingOf(text(3), 3_000)];
  expect(figuresOf(now, before, {})).toMatchObject({
    pools: 3,
    used: 9,
    openedPerS: 15,
    closedPerS: [['lifetime', 12]],
  });
  expect(figuresOf(now, before, { pool: 'p' })).toMatchObject({
    pools: 2,
    used: 6,
    openedPerS: 10,
    longestWaitS: 0.5,
  });
  expect(figuresOf(now, before, { pool: 'p', instance: 'b' })).toMatchObject({ pools: 1, used: 3 });
  expect(figuresOf(now, before, { pool: 'other' })).toMatchObject({ pools: 0, used: 0 });
  expect(figuresOf(now, undefined, {})).toMatchObject({ openedPerS: null, closedPerS: [] });
});

it('a reading counts from zero after the process has restarted', () => {
  const [before, now] = [readingOf(js(label('p'), 9), 0), readingOf(js(label('p'), 1), 1_000)];
  expect(figuresOf(now, before, {})).toMatchObject({ openedPerS: 5, closedPerS: [['lifetime', 4]] });
});

it('queries of instrumentation-pg count for the only pool of a process, or for all pools together', () => {
  const queries =
    'db_client_operation_duration_count{db_system_name="postgresql"} 7\ndb_client_operation_duration_count{db_system_name="mysql"} 9\n';
  const empty = { ...readingOf(js(label('p')), 0) };
  expect(figuresOf(readingOf(js(label('p')) + queries, 1_000), empty, { pool: 'p' }).queriesPerS).toBe(7);
  const two = readingOf(js(label('p')) + js(label('q')) + queries, 1_000);
  expect(figuresOf(two, empty, { pool: 'p' }).queriesPerS).toBe(0);
  expect(figuresOf(two, empty, {}).queriesPerS).toBe(7);
});

it('a reading refuses series of another library under the same names', () => {
  const text =
    'db_client_connection_count{db_client_connection_state="used",db_client_connection_pool_name="x"} 1\n';
  expect(() => readingOf(text, 0)).toThrow('it has no series of pgauge');
  expect(readingOf(js(label('p')) + text, 0).pools.map(({ pool }) => pool)).toEqual(['p']);
});

it('a reading has a limited number of pools and the number of omitted ones', () => {
  const text = Array.from({ length: MOST_POOLS + 5 }, (_, i) => js(label(`pool ${i}`))).join('');
  const { pools, leftOut } = readingOf(text, 0);
  expect([pools.length, leftOut]).toEqual([MOST_POOLS, 5]);
});
