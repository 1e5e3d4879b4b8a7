import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import type { InstrumentedPool } from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

const ITEMS = { name: 'items', text: 'select * from item' };
const COUNT = { name: 'some items', text: 'select item.* from item limit 1' };
type Queryable = Pick<InstrumentedPool, 'query'> | PoolClient;
/** Runs a query in one of its forms and returns the SQLSTATE with which it failed, or `ok`. */
type Run = (on: Queryable, query: string | typeof ITEMS) => Promise<string>;

// A new config each time, because the lowest driver writes its callback into the object it is given.
const fresh = (query: string | typeof ITEMS): unknown => (typeof query === 'string' ? query : { ...query });

const byPromise: Run = (on, query) =>
  (on.query as (query: unknown) => Promise<unknown>)(fresh(query)).then(
    () => 'ok',
    (error: unknown) => (error as { code: string }).code,
  );
const byCallback: Run = (on, query) =>
  new Promise((resolve) => {
    const callback = (error?: { code?: string } | null): void => resolve(error?.code ?? 'ok');
    (on.query as (query: unknown, callback: unknown) => void)(fresh(query), callback);
  });
const FORMS: [string, Run][] = [
  ['by promise', byPromise],
  ['by callback', byCallback],
];

beforeEach(async () => {
  await server().query('drop table if exists item; create table item (id int); insert into item values (1)');
});

const alter = (): Promise<unknown> =>
  server().query(`alter table item add column c${Math.random().toString().slice(2)} int`);

/** Runs something on every connection of a pool. */
async function onEach(pool: InstrumentedPool, connections: number, run: (client: PoolClient) => unknown) {
  const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  for (const client of clients) await run(client);
  for (const client of clients) client.release();
}

describe.each(FORMS)('a named statement whose table has changed, run %s', (_form, run) => {
  test('by pool.query fails at most once on each connection, and no connection is closed', async () => {
    const pool = await makePool(server(), { maxOpenConns: 4 });
    await onEach(pool, 4, (client) => client.query({ ...ITEMS }));
    await alter();
    const outcomes: string[] = [];
    for (let call = 0; call < 20; call += 1) outcomes.push(await run(pool, ITEMS));
    await onEach(pool, 4, async (client) => outcomes.push(await run(client, ITEMS)));
    await onEach(pool, 4, async (client) => expect(await run(client, ITEMS)).toBe('ok'));
    expect(outcomes.filter((outcome) => outcome !== 'ok')).toEqual(Array(4).fill('0A000'));
    expect(pool.log.closeReasons).toEqual([]);
    expect(pool.stat().newConnsCount).toBe(4);
  });

  test('on a held client works when it is run again, in a transaction after its ROLLBACK', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query({ ...ITEMS });
    await alter();
    await client.query('begin');
    expect(await run(client, ITEMS)).toBe('0A000');
    expect(await run(client, ITEMS)).toBe('25P02');
    await client.query('rollback');
    expect(await run(client, ITEMS)).toBe('ok');
    expect(await run(client, ITEMS)).toBe('ok');
    client.release();
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('fails once on a connection, however many statements are prepared there', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    await pool.query({ ...ITEMS });
    await pool.query({ ...COUNT });
    await alter();
    const outcomes = [];
    for (const query of [ITEMS, COUNT, ITEMS, COUNT]) outcomes.push(await run(pool, query));
    expect(outcomes).toEqual(['0A000', 'ok', 'ok', 'ok']);
  });

  test('fails once for each change, and its connection is closed after the second', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    await pool.query({ ...ITEMS });
    const outcomes = [];
    for (let change = 0; change < 3; change += 1) {
      await alter();
      outcomes.push(await run(pool, ITEMS), await run(pool, ITEMS));
    }
    expect(outcomes).toEqual(['0A000', 'ok', '0A000', 'ok', '0A000', 'ok']);
    await until('it is closed', () => pool.log.closeReasons.length > 0);
    expect(pool.log.closeReasons).toEqual(['released_with_error']);
  });
});

const UNFIT: [string, string, (client: Queryable, run: Run) => Promise<string>, string][] = [
  [
    'a statement was prepared in SQL and its table has changed (0A000)',
    '0A000',
    async (client, run) => {
      await run(client, 'prepare by_hand as select * from item');
      await run(client, 'execute by_hand');
      await alter();
      return await run(client, 'execute by_hand');
    },
    'released_with_error',
  ],
  ...['discard all', 'deallocate all', 'deallocate items'].map((statement): (typeof UNFIT)[number] => [
    `${statement} removed its prepared statements (26000)`,
    '26000',
    async (client, run) => {
      await run(client, ITEMS);
      await run(client, statement);
      return await run(client, ITEMS);
    },
    'released_with_error',
  ]),
  [
    'a statement of SQL is not prepared (26000)',
    '26000',
    (client, run) => run(client, 'execute nothing'),
    'released_with_error',
  ],
  [
    'the server has a statement of that name which the driver does not know (42P05)',
    '42P05',
    async (client, run) => {
      await run(client, 'prepare by_hand as select 1');
      return await run(client, { name: 'by_hand', text: 'select 2' });
    },
    'released_with_error',
  ],
  [
    'the values do not match the prepared statement (08P01)',
    '08P01',
    (client, run) => run(client, { ...ITEMS, values: [1, 2] } as typeof ITEMS),
    'released_with_error',
  ],
  [
    'the server says that an operator ended it, whatever ended (57P01)',
    '57P01',
    (client, run) => run(client, "do $$ begin raise exception 'x' using errcode = '57P01'; end $$"),
    'server_closed',
  ],
];

describe.each(FORMS)(
  'a connection is closed after an error that belongs to its session, %s:',
  (_form, run) => {
    test.each(UNFIT)('%s', async (_name, code, cause, reason) => {
      const pool = await makePool(server(), { maxOpenConns: 1 });
      const before = await backendPid(pool);
      expect(await cause(pool, run)).toBe(code);
      expect(await backendPid(pool)).not.toBe(before);
      expect(await run(pool, ITEMS)).toBe('ok');
      expect(pool.log.closeReasons).toEqual([reason]);
      expect(pool.log.named('postgres connection closed')).toMatchObject([{ fields: { error_type: code } }]);

      const client = await pool.connect();
      const held = await backendPid(client);
      expect(await cause(client, run)).toBe(code);
      expect(await backendPid(client)).toBe(held);
      client.release();
      expect(await backendPid(pool)).not.toBe(held);
      expect(pool.log.closeReasons).toEqual([reason, reason]);
    });

    test('a held client can prepare its statements again after DISCARD ALL', async () => {
      const pool = await makePool(server(), { maxOpenConns: 1 });
      const client = await pool.connect();
      await client.query({ ...ITEMS });
      await client.query({ ...COUNT });
      await client.query('discard all');
      const outcomes = [];
      for (const query of [ITEMS, COUNT, ITEMS, COUNT]) outcomes.push(await run(client, query));
      expect(outcomes).toEqual(['26000', 'ok', 'ok', 'ok']);
      client.release();
    });
  },
);

describe('a session that the server ends at a time limit', () => {
  const LIMITS: [string, string, string][] = [
    ['idle_in_transaction_session_timeout', '25P03', 'begin'],
    ['transaction_timeout', '25P04', 'begin'],
    ['idle_session_timeout', '57P05', 'select 1'],
  ];

  test.each(LIMITS)('%s (%s) is closed as server_closed', async (setting, _code, text) => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    await client.query(`set ${setting} = '200ms'`);
    await client.query(text);
    await until('it is ended', () => pool.totalCount === 0);
    client.release();
    expect(await backendPid(pool)).not.toBe(before);
    expect(pool.log.closeReasons).toEqual(['server_closed']);
  });
});

const KEPT: [string, string][] = [
  ...[
    ...['08001', '08006', '0A000', '22012', '22021', '23505', '28000', '28P01', '3D000', '40001', '40P01'],
    ...['42501', '42601', '42P01', '53100', '53200', '55P03', '57014', 'P0001', 'XX000'],
  ].map((code): [string, string] => [
    code,
    `do $$ begin raise exception 'x' using errcode = '${code}'; end $$`,
  ]),
  ['0A000', 'select count(*) from item for update'],
  ['22021', "select convert_from('\\xff', 'UTF8')"],
  ['3D000', 'create database copy template nothing'],
  ['22023', 'set session authorization nobody_at_all'],
  ['34000', 'fetch from nothing'],
  ['57014', "set statement_timeout = '20ms'; select pg_sleep(60)"],
];

test.each(KEPT)('a connection is kept after %s: %s', async (code, text) => {
  const pool = await makePool(server(), { maxOpenConns: 1 });
  const before = await backendPid(pool);
  expect(await byPromise(pool, text)).toBe(code);
  expect(await backendPid(pool)).toBe(before);
  expect(pool.log.closeReasons).toEqual([]);
});

test('a connection is kept after a failed transaction that its user rolls back (25P02)', async () => {
  const pool = await makePool(server(), { maxOpenConns: 1 });
  const client = await pool.connect();
  const before = await backendPid(client);
  await client.query('begin');
  await rejection(client.query('select 1/0'));
  expect(await byPromise(client, 'select 1')).toBe('25P02');
  await client.query('rollback');
  client.release();
  await sleep(0);
  expect(await backendPid(pool)).toBe(before);
});
