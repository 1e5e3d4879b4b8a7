import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { canPipeline } from '../../../src/connection/driver.js';
import { OutcomeUnknownError, type PoolOptions } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { backendsRunning } from '../../support/sessions.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

const pipelined = (depth: number, more: PoolOptions = {}): PoolOptions => ({
  pipelining: { depth },
  ...more,
});
const N = 'select $1::int as n';
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe.runIf(canPipeline())('pipelined queries', () => {
  test('each get their own answer, on no more connections than the maximum', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 }, pipelined(8));
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(numbers(200).map((n) => pool.query<{ n: number }>(N, [n])));
      expect(answers.map(({ rows }) => rows)).toEqual(numbers(200).map((n) => [{ n }]));
    }
    expect(pool.stat()).toMatchObject({ totalConns: 2, idleConns: 2, acquireCount: 4_000 });
  });

  test('share one connection: the second is sent before the first is answered', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(2));
    await pool.query('select 1');
    const first = pool.query('select pg_sleep($1)', [0.3]);
    const second = pool.query(N, [2]);
    expect(pool.waitingCount).toBe(0);
    const third = pool.query(N, [3]);
    expect(pool.waitingCount).toBe(1);
    expect((await second).rows).toEqual([{ n: 2 }]);
    expect((await third).rows).toEqual([{ n: 3 }]);
    await first;
    await until('it is returned', () => pool.idleCount === 1);
  });

  test('do not share while the pool is below its maximum: each gets a new connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 3 }, pipelined(8));
    await pool.query('select 1');
    let over = false as boolean;
    const slow = rejection(pool.query('select pg_sleep($1) /* alone */', [60])).then(() => (over = true));
    await Promise.all(numbers(2).map((n) => pool.query(N, [n])));
    expect(over).toBe(false);
    expect(pool.totalCount).toBe(3);
    await server().query(
      "select pg_cancel_backend(pid) from pg_stat_activity where query like '%/* alone */%' and pid <> pg_backend_pid()",
    );
    await slow;
  });

  test('fail alone when one of them has an error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(16));
    await pool.query('select 1');
    const outcomes = await Promise.allSettled(
      numbers(40).map((n) => pool.query<{ n: number }>('select 1 / $1::int as n', [n % 5])),
    );
    outcomes.forEach((outcome, n) => {
      if (n % 5 === 0) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
      else expect(outcome.status).toBe('fulfilled');
    });
    expect(pool.log.closeReasons).toEqual([]);
    expect((await pool.query(N, [1])).rows).toEqual([{ n: 1 }]);
  });

  test('fail alone when a value cannot be serialised', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(16));
    await pool.query('select 1');
    const odd = {
      toPostgres: (): never => {
        throw new Error('no text for this');
      },
    };
    for (let round = 0; round < 20; round += 1) {
      const queries = numbers(12).map((n) => pool.query<{ n: number }>(N, [n % 3 === round % 3 ? odd : n]));
      const outcomes = await Promise.allSettled(queries);
      outcomes.forEach((outcome, n) => {
        if (n % 3 === round % 3) expect(outcome).toMatchObject({ reason: { message: 'no text for this' } });
        else expect(outcome).toMatchObject({ value: { rows: [{ n }] } });
      });
    }
    const client = await pool.connect();
    expect((await client.query(N, [7])).rows).toEqual([{ n: 7 }]);
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('prepare each named statement once, and one that fails gets its own error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2 }, pipelined(8));
    const named = (n: number) => pool.query<{ n: number }>({ name: 'n', text: N, values: [n] });
    const answers = await Promise.all(numbers(50).map(named));
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(numbers(50));
    const bad = () =>
      pool.query({ name: 'bad', text: 'select nothing from nowhere where 1 = $1', values: [1] });
    const outcomes = await Promise.allSettled(numbers(10).map(bad));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: '42P01' } });
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('stop sharing while an acquire is at the head of the queue, until a connection is free for it', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(8));
    await pool.query('select 1');
    const first = pool.query('select pg_sleep($1)', [0.2]);
    const acquired = pool.connect();
    const later = pool.query<{ n: number }>(N, [1]);
    expect(pool.waitingCount).toBe(2);
    await first;
    const client = await acquired;
    expect(pool.waitingCount).toBe(1);
    expect((await client.query(N, [2])).rows).toEqual([{ n: 2 }]);
    client.release();
    expect((await later).rows).toEqual([{ n: 1 }]);
  });

  test('share again when the acquire ahead of them gives up', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(8));
    await pool.query('select 1');
    const slow = pool.query('select pg_sleep($1)', [1]);
    const stop = new AbortController();
    const waiting = pool.connect({ signal: stop.signal });
    const behind = numbers(3).map((n) => pool.query(N, [n]));
    expect(pool.waitingCount).toBe(4);
    stop.abort();
    await expect(waiting).rejects.toThrow();
    expect(pool.waitingCount).toBe(0);
    await Promise.all([slow, ...behind]);
  });

  test.each([
    ['begin', 'begin'],
    ['a text without values', 'select 1'],
    ['an explicit transaction', { text: 'begin', queryMode: 'extended' }],
    ['a limit of its own', { text: N, values: [1], timeoutMs: 5_000 }],
    ['a COPY', 'copy (select 1) to stdout'],
    ['a pg.Query', () => new pg.Query({ text: N, values: [1] })],
  ])('do not include %s, which gets its own connection', async (_what, query) => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(8));
    await pool.query('select 1');
    const slow = pool.query('select pg_sleep($1)', [0.2]);
    const given = (typeof query === 'function' ? query() : query) as string;
    const own = new Promise<void>((resolve) => {
      pool.query(given, () => resolve());
    });
    expect(pool.waitingCount).toBe(1);
    await slow;
    await own;
  });

  test('include plain texts with the option texts', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { pipelining: { depth: 8, texts: true } });
    await pool.query('select 1');
    const slow = pool.query('select pg_sleep(0.2)');
    const text = pool.query('select 2 as two;');
    expect(pool.waitingCount).toBe(0);
    const two = pool.query('select 1; select 2');
    expect(pool.waitingCount).toBe(1);
    await slow;
    expect((await text).rows).toEqual([{ two: 2 }]);
    expect(await two).toHaveLength(2);
  });

  test('return the same results as pg: types, row mode, fields, counts', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(8));
    const plain = await makePool(server(), { maxOpenConns: 1 });
    const queries: pg.QueryConfig[] = [
      { text: 'select $1::jsonb as j, now()::date as d, 1.5::numeric as x', values: ['{"a":1}'] },
      { text: 'select $1::int, 2', values: [1], rowMode: 'array' } as pg.QueryArrayConfig,
      { text: 'select $1::int where false', values: [1] },
      { text: 'select $1::int', values: ['x'] },
      { text: 'values ($1::text)', values: ['é'] },
    ];
    const run = (on: typeof pool) =>
      Promise.all(
        queries.map((query) => on.query(query).catch((error: unknown) => Object.entries(error as object))),
      );
    expect(JSON.stringify(await run(pool))).toEqual(JSON.stringify(await run(plain)));
  });
});

describe.runIf(canPipeline())('a shared connection that is lost', () => {
  beforeAll(() => server().query('create table pipelined_deeds (id int)'));

  test('rejects each of sixty queries in flight once, and nothing is sent again', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, pipelined(64));
    await pool.query('select 1');
    const slow = rejection(pool.query('select pg_sleep($1)', [60]));
    const settled = numbers(60).map(() => 0);
    const errors: unknown[] = [];
    const inserts = numbers(60).map((n) =>
      pool.query('insert into pipelined_deeds values ($1)', [n]).then(
        () => (settled[n] = (settled[n] ?? 0) + 1),
        (error: unknown) => {
          settled[n] = (settled[n] ?? 0) + 1;
          errors.push(error);
        },
      ),
    );
    await until('the first runs', async () => (await backendsRunning(server(), 'pg_sleep')) > 0);
    proxy().resetAll();
    expect(await slow).toBeInstanceOf(OutcomeUnknownError);
    await Promise.all(inserts);
    expect(settled).toEqual(numbers(60).map(() => 1));
    expect(errors).toHaveLength(60);
    for (const error of errors) expect(error).toMatchObject({ code: 'ERR_PGAUGE_OUTCOME_UNKNOWN' });
    expect((await pool.query(N, [1])).rows).toEqual([{ n: 1 }]);
  });

  test('whose backend is terminated rejects its running query with the server’s error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(8));
    await pool.query('select 1');
    const slow = rejection(pool.query('select pg_sleep($1) /* terminated */', [60]));
    const behind = numbers(5).map((n) => rejection(pool.query(N, [n])));
    await until('it runs', async () => {
      const { rowCount } = await server().query(
        "select pg_terminate_backend(pid) from pg_stat_activity where state = 'active' and query like '%/* terminated */%' and pid <> pg_backend_pid()",
      );
      return rowCount;
    });
    expect(await slow).toMatchObject({ code: '57P01' });
    for (const error of await Promise.all(behind)) expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((await pool.query(N, [1])).rows).toEqual([{ n: 1 }]);
  });

  test('end() waits for pipelined queries in flight and in the queue', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, pipelined(4));
    const queries = numbers(20).map((n) => pool.query<{ n: number }>(N, [n]));
    const ended = pool.end();
    expect((await Promise.all(queries)).map(({ rows }) => rows[0]?.n)).toEqual(numbers(20));
    await ended;
  });
});

test.runIf(!canPipeline())('a pg that cannot pipeline is refused', async () => {
  const refused = rejection(makePool(server(), {}, pipelined(2)));
  expect(await refused).toMatchObject({
    code: 'ERR_PGAUGE_CONFIG',
    message: 'invalid configuration: pipelining needs pg 8.23 or later',
  });
});
