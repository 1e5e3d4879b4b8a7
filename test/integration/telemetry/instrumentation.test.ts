import { beforeAll, describe, expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { usePostgres } from '../../support/servers.js';

const server = usePostgres();
const INSTRUMENTATION = '@opentelemetry/instrumentation-pg';

interface Told {
  readonly spans: readonly {
    readonly name: string;
    readonly scope: string;
    readonly id: string;
    readonly parent?: string;
    readonly statement?: string;
  }[];
  readonly series: readonly {
    readonly name: string;
    readonly scope: string;
    readonly pool?: string;
    readonly value: number;
  }[];
}
let told: Told;

describe('with the instrumentation of pg registered', () => {
  beforeAll(async () => {
    const { host, port, user, password, database } = server();
    const config = JSON.stringify({ host, port, user, password, database, sslMode: 'disable' });
    const script = new URL('../../support/scripts/instrumented.ts', import.meta.url);
    const { lines, stderr } = await runScript(script, [config]).result;
    expect(stderr).toBe('');
    told = JSON.parse(lines.join('') || 'null') as Told;
  });

  test.each([
    ['one', 'select 1'],
    ['two', 'select 2'],
    ['three', 'select 3'],
    ['four', 'select 4'],
    ['five', 'select 5'],
  ])(
    'the query span of request %s is its child, whichever request released the client',
    (name, statement) => {
      const request = told.spans.find((span) => span.name === name);
      const queries = told.spans.filter((span) => span.statement === statement);
      expect(queries.map(({ scope, parent }) => ({ scope, parent }))).toEqual([
        { scope: INSTRUMENTATION, parent: request?.id },
      ]);
    },
  );

  test('a connection has one connect span, from pgauge', () => {
    const connects = told.spans.filter(({ name }) => /connect/i.test(name) && !/pg-pool/.test(name));
    expect(connects.filter(({ scope }) => scope === 'pgauge').map(({ name }) => name)).toEqual([
      `CONNECT ${server().database}`,
    ]);
    // One for the other pool's connection, none for ours.
    expect(connects.filter(({ scope }) => scope === INSTRUMENTATION)).toHaveLength(1);
    const pools = told.spans.filter(({ name }) => /pg-pool/.test(name));
    const other = told.spans.find(({ name }) => name === 'other');
    expect(pools.map(({ parent }) => parent)).toEqual([other?.id]);
  });

  test('each series of the pgauge pool exists once, from pgauge; the other pool keeps its own', () => {
    const ofOurs = told.series.filter(({ pool }) => pool === 'ours');
    expect(new Set(ofOurs.map(({ scope }) => scope))).toEqual(new Set(['pgauge']));
    const { host, port } = server();
    const counted = told.series.filter(({ name }) => name === 'db.client.connection.count');
    const theirs = counted.filter(({ scope }) => scope === INSTRUMENTATION);
    expect(theirs.length).toBeGreaterThan(0);
    // The two pools differ in their database: the instrumentation does not know the pool's name.
    for (const { pool } of theirs) expect(pool).toContain(`${host}:${port}/template1`);
    const waited = ofOurs.filter(({ name }) => name === 'db.client.connection.wait_time');
    expect(waited.map(({ value }) => value)).toEqual([5]);
  });

  test('the duration of every query is measured, on the pgauge pool and on the other one', () => {
    const durations = told.series.filter(({ name }) => name === 'db.client.operation.duration');
    expect(durations.reduce((sum, { value }) => sum + value, 0)).toBe(6);
  });
});
