import { describe, expect, test } from 'vitest';
import { canPipeline } from '../../../src/connection/driver.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { backendsRunning } from '../../support/sessions.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

const N = 'select $1::int as n';
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe.runIf(canPipeline())('a slow query at the head of a shared connection', () => {
  test('is ended by statement_timeout; the queries behind it get their own answers, and the connection is kept', async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 1 },
      { pipelining: { depth: 8 }, pg: { statement_timeout: 500 } },
    );
    await pool.query('select 1');
    const slow = rejection(pool.query('select pg_sleep($1)', [60]));
    const behind = numbers(7).map((n) => pool.query<{ n: number }>(N, [n]));
    expect(pool.waitingCount).toBe(0);
    expect(await slow).toMatchObject({ code: '57014' });
    expect((await Promise.all(behind)).map(({ rows }) => rows[0]?.n)).toEqual(numbers(7));
    expect(pool.log.closeReasons).toEqual([]);
    expect(pool.stat().newConnsCount).toBe(1);
  });

  test('delays only as many queries as fit behind it: later ones go to connections with fewer in flight', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 }, { pipelining: { depth: 2 } });
    await Promise.all([pool.query('select 1'), pool.query('select 2')]);
    let delayed = 0;
    const stuck = [rejection(pool.query('select pg_sleep($1) /* head */', [60]))];
    // One query runs on the other connection, and one waits on each connection.
    const first = numbers(3).map((n) => pool.query(N, [n]).then(() => (delayed -= 1)));
    delayed += first.length;
    await until('it runs', async () => (await backendsRunning(server(), '/* head */')) === 1);
    await until('all but the one behind it are answered', () => delayed === 1);
    const later = await Promise.all(numbers(50).map((n) => pool.query<{ n: number }>(N, [n])));
    expect(later.map(({ rows }) => rows[0]?.n)).toEqual(numbers(50));
    expect(delayed).toBe(1);
    await server().query(
      "select pg_cancel_backend(pid) from pg_stat_activity where query like '%/* head */%' and pid <> pg_backend_pid()",
    );
    await Promise.all([...stuck, ...first]);
    expect(delayed).toBe(0);
  });
});

test.runIf(canPipeline())(
  'when a table changes, its named statement fails in the queries in flight and is prepared again by later ones',
  async () => {
    await server().query('create table replanned (id int); insert into replanned values (1)');
    const pool = await makePool(server(), { maxOpenConns: 1 }, { pipelining: { depth: 8 } });
    const named = () =>
      pool.query({ name: 'all', text: 'select * from replanned where id = $1', values: [1] });
    expect((await named()).rows).toEqual([{ id: 1 }]);
    await server().query('alter table replanned add column more text');
    // Mix in queries with other texts, which must not be affected.
    const sent = numbers(6).map((n) => (n % 2 === 0 ? named() : pool.query(N, [n])));
    expect(pool.waitingCount).toBe(0);
    const outcomes = await Promise.allSettled(sent);
    outcomes.forEach((outcome, n) => {
      if (n % 2 === 0) expect(outcome).toMatchObject({ reason: { code: '0A000' } });
      else expect(outcome).toMatchObject({ value: { rows: [{ n }] } });
    });
    const again = await Promise.all(numbers(6).map(named));
    for (const { rows } of again) expect(rows).toEqual([{ id: 1, more: null }]);
  },
);
