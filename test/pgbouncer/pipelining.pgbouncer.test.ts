import { describe, expect, test } from 'vitest';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { rejection, until } from '../support/until.js';
import { knowsNamedStatements, MODES, usePgbouncer, type PoolMode } from './server.js';

const server = usePostgres();
const pgbouncer = usePgbouncer(server, {
  default_pool_size: 2,
  ...(knowsNamedStatements() && { max_prepared_statements: 50 }),
});
const makePool = usePools(() => pgbouncer().login);

const N = 'select $1::int as n, txid_current()::text as transaction';
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** Ends the sessions that run a query with this mark. */
const END_THEM = `select pg_terminate_backend(pid) from pg_stat_activity
  where state = 'active' and query like '%/* ended */%' and pid <> pg_backend_pid()`;

/** The modes in which a named statement exists on the server connection that runs it. */
const WITH_NAMES = knowsNamedStatements() ? MODES : (['session'] as const);

interface Row {
  n: number;
  transaction: string;
}

const pipelined = (database: PoolMode) =>
  makePool(pgbouncer(), { database, maxOpenConns: 2 }, { pipelining: { depth: 16 } });

describe.each(MODES)('pipelined queries in %s pooling', (database) => {
  test('get their own answers, each in its own transaction', async () => {
    const pool = await pipelined(database);
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(numbers(100).map((n) => pool.query<Row>(N, [n])));
      expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(numbers(100));
      expect(new Set(answers.map(({ rows }) => rows[0]?.transaction)).size).toBe(100);
    }
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('fail without affecting the others', async () => {
    const pool = await pipelined(database);
    const outcomes = await Promise.allSettled(
      numbers(60).map((n) => pool.query('select 1 / $1::int', [n % 4])),
    );
    outcomes.forEach((outcome, n) => {
      if (n % 4 === 0) expect(outcome).toMatchObject({ reason: { code: '22012' } });
      else expect(outcome.status).toBe('fulfilled');
    });
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('reject once each when the server ends their sessions, and are served again', async () => {
    const pool = await pipelined(database);
    await pool.query(N, [0]);
    let left = 20;
    const lost = numbers(left).map(() =>
      rejection(pool.query('select pg_sleep($1) /* ended */', [60])).finally(() => (left -= 1)),
    );
    await until('all are settled', async () => {
      await server().query(END_THEM);
      return left === 0;
    });
    for (const { code } of await Promise.all(lost))
      expect(['57P01', '08P01', 'ERR_PGAUGE_OUTCOME_UNKNOWN']).toContain(code);
    expect((await pool.query<Row>(N, [7])).rows[0]?.n).toBe(7);
  });
});

test.each(WITH_NAMES)('pipelined queries with names are prepared once in %s pooling', async (database) => {
  const pool = await pipelined(database);
  const named = (n: number) => pool.query<Row>({ name: `n${n % 3}`, text: N, values: [n] });
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(numbers(50).map(named));
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(numbers(50));
  }
  expect(pool.log.closeReasons).toEqual([]);
});
