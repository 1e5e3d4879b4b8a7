import { expect, test } from 'vitest';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);
const HERE = 'caller-stacks.test.ts';

test('the stack of a refused login contains the caller of connect', async () => {
  const pool = await makePool(server(), { password: 'wrong' });
  const login = async function callerOfConnect(): Promise<unknown> {
    return await pool.connect();
  };
  const error = await rejection(login());
  expect(error.code).toBe('28P01');
  expect(error.stack).toContain(HERE);
  expect(error.stack).toContain('callerOfConnect');
});

test('the stack of a refused login contains the caller of query', async () => {
  const pool = await makePool(server(), { password: 'wrong' });
  const ask = async function callerOfQuery(): Promise<unknown> {
    return await pool.query('select 1');
  };
  expect((await rejection(ask())).stack).toContain('callerOfQuery');
});

test('the stack of a failed query contains its caller, on the pool and on a client', async () => {
  const pool = await makePool(server());
  const onPool = async function callerOfPool(): Promise<unknown> {
    return await pool.query('select 1/0');
  };
  expect((await rejection(onPool())).stack).toContain('callerOfPool');
  const client = await pool.connect();
  const onClient = async function callerOfClient(): Promise<unknown> {
    return await client.query('select 1/0');
  };
  expect((await rejection(onClient())).stack).toContain('callerOfClient');
  client.release();
});

test('the stack of an acquire timeout contains its caller', async () => {
  const pool = await makePool(server(), { maxOpenConns: 1 }, { acquireTimeoutMs: 50 });
  const client = await pool.connect({ timeoutMs: 20_000 });
  const wait = async function callerWhoWaits(): Promise<unknown> {
    return await pool.connect();
  };
  expect((await rejection(wait())).stack).toContain('callerWhoWaits');
  client.release();
});

test('the stack of a query on a lost client contains its caller', async () => {
  const pool = await makePool(server());
  const client = await pool.connect();
  const { processID } = client as unknown as { processID: number };
  await server().query('select pg_terminate_backend($1)', [processID]);
  await until('the loss is noticed', () => pool.totalCount === 0);
  const ask = async function callerOnLost(): Promise<unknown> {
    return await client.query('select 1');
  };
  expect((await rejection(ask())).stack).toContain('callerOnLost');
  client.release();
});

test('the stack of a refusal after end() contains its caller', async () => {
  const pool = await makePool(server());
  await pool.end();
  const ask = async function callerAfterEnd(): Promise<unknown> {
    return await pool.query('select 1');
  };
  const connect = async function connectorAfterEnd(): Promise<unknown> {
    return await pool.connect();
  };
  expect((await rejection(ask())).stack).toContain('callerAfterEnd');
  expect((await rejection(connect())).stack).toContain('connectorAfterEnd');
});

test('the stack of an abort reason shared by many acquires does not grow with each of them', async () => {
  const pool = await makePool(server(), { maxOpenConns: 1 });
  const client = await pool.connect();
  const controller = new AbortController();
  const reason = new Error('shutting down');
  const waits = Array.from({ length: 100 }, (_, i) => rejection(acquire(i)));
  async function acquire(i: number): Promise<unknown> {
    // Callers from different places.
    return i % 2 === 0 ? await pool.connect({ signal: controller.signal }) : await acquire(i - 1);
  }
  controller.abort(reason);
  for (const error of await Promise.all(waits)) expect(error).toBe(reason);
  expect(reason.stack?.match(/acquire/g)?.length).toBeLessThan(10);
  client.release();
});
