import type { PoolClient } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);
const SURVIVOR = new URL('./scripts/survivor.ts', import.meta.url);

beforeEach(() => proxy().clear());

async function terminate(client: PoolClient): Promise<void> {
  const { processID } = client as unknown as { processID: number };
  await server().query('select pg_terminate_backend($1)', [processID]);
}

describe('a server that goes away', () => {
  test.each(['restart', 'kill'])('by %s does not crash a process that listens to nothing', async (how) => {
    const { host, port, user, password, database } = server();
    const child = runScript(SURVIVOR, [], {
      env: { PG: JSON.stringify({ host, port, user, password, database }) },
    });
    await child.line('3 idle');
    if (how === 'restart') await server().restart();
    else {
      await server().kill();
      await server().start();
    }
    const { code, lines, stderr } = await child.result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines).toEqual(['3 idle', 'lost', 'answer 1', 'released', 'ended']);
  });

  test('while idle: the next query works within 2 s of its return', async () => {
    const pool = await makePool(server());
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    await server().restart();
    const startedAt = performance.now();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(pool.log.closeReasons).toEqual(['server_closed', 'server_closed']);
  });

  test('under load: every query settles, the maximum holds, and the pool works', async () => {
    const pool = await makePool(server(), { maxOpenConns: 10 });
    let most = 0;
    const queries = Array.from({ length: 1_000 }, () =>
      pool.query('select pg_sleep(0.01)').finally(() => (most = Math.max(most, pool.totalCount))),
    );
    const settled = Promise.allSettled(queries);
    await until('the load runs', () => pool.stat().acquireCount > 50);
    await server().restart();
    const outcomes = await settled;
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Error);
    }
    expect(most).toBeLessThanOrEqual(10);
    expect(pool.waitingCount).toBe(0);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await until('the counts agree with the server', async () => {
      const { rows } = await server().query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where client_addr is not null and backend_type = 'client backend'",
      );
      return rows[0]?.n === pool.totalCount;
    });
  });
});

describe('a checked-out client that is killed', () => {
  test('between queries rejects the next one with the server’s error, and may be released late', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await terminate(client);
    await until('the loss is noticed', () => pool.totalCount === 0);
    // Its slot is free before it is released.
    expect(await backendPid(pool)).toBeGreaterThan(0);
    const error = await rejection(client.query('select 1'));
    expect(error.code).toBe('57P01');
    const inCallback = await new Promise<Error>((resolve) => client.query('select 1', resolve));
    expect(inCallback).toBe(error);
    client.release();
    expect(() => client.release()).toThrow('already been released');
    expect(pool.stat()).toMatchObject({ totalConns: 1, idleConns: 1, acquiredConns: 0 });
  });

  test('in the middle of a query rejects it once with the server’s error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const running = rejection(client.query('select pg_sleep(20)'));
    await terminate(client);
    expect((await running).code).toBe('57P01');
    client.release();
    await until('the loss is noticed', () => pool.totalCount === 0);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.stat()).toMatchObject({ totalConns: 1, idleConns: 1 });
  });

  test('in the middle of a query of the pool rejects it with the server’s error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    pool.on('connect', () => undefined);
    const client = await pool.connect();
    client.release();
    const running = rejection(pool.query('select pg_sleep(20)'));
    await terminate(client);
    expect((await running).code).toBe('57P01');
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('in the middle of a transaction rejects COMMIT and replays nothing', async () => {
    await server().query('create table if not exists deeds (id int)');
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query('begin');
    await client.query('insert into deeds values (1)');
    await terminate(client);
    expect((await rejection(client.query('commit'))).code).toBe('57P01');
    client.release(new Error('mine'));
    expect((await pool.query('select * from deeds')).rows).toEqual([]);
    expect(pool.log.closeReasons).toEqual(['server_closed']);
  });

  test('gives its slot to who waits within a second', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const waiting = pool.connect({ timeoutMs: 10_000 });
    await terminate(client);
    const startedAt = performance.now();
    (await waiting).release();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    client.release();
  });

  test('and never released does not keep the pool from ending', async () => {
    const pool = await makePool(server());
    const client = await pool.connect();
    await terminate(client);
    await until('the loss is noticed', () => pool.totalCount === 0);
    await pool.end();
    expect(pool.ended).toBe(true);
    client.release();
  });
});

describe('a connection that is reset', () => {
  test('while idle is dropped without a word to who does not listen', async () => {
    const pool = await makePool(proxy());
    await pool.query('select 1');
    proxy().resetAll();
    await until('it is noticed', () => pool.totalCount === 0);
    expect(pool.log.closeReasons).toEqual(['network']);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('in the middle of a query rejects it', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    await pool.query('select 1');
    const running = rejection(pool.query('select pg_sleep(20)'));
    await until('the query runs', () => pool.stat().acquiredConns === 1);
    proxy().resetAll();
    const error = await running;
    expect(error.code ?? error.message).toMatch(/ECONNRESET|^Connection terminated/);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('inside a message rejects the query and the pool recovers', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    proxy().set({ cutAfterBytes: 5_000 });
    await rejection(pool.query("select repeat('x', 100000) as long"));
    proxy().set({ cutAfterBytes: Infinity });
    const { rows } = await pool.query<{ long: string }>("select repeat('x', 100000) as long");
    expect(rows[0]?.long).toHaveLength(100_000);
  });

  test('while it is made rejects the caller with its code', async () => {
    proxy().set({ refuse: true });
    const pool = await makePool(proxy());
    const error = await rejection(pool.connect());
    expect(error.code ?? error.message).toMatch(/ECONNRESET|^Connection terminated/);
    expect(pool.totalCount).toBe(0);
  });
});

describe('a client that its user ends', () => {
  test('gives its slot up, and its release is harmless', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = (await pool.connect()) as PoolClient & { end(): Promise<void> };
    await client.end();
    await until('the slot is free', () => pool.totalCount === 0);
    client.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('the error event', () => {
  test('tells each idle loss once, and none of a client that is checked out', async () => {
    const pool = await makePool(server());
    const told: unknown[] = [];
    pool.on('error', (_error: Error, client: PoolClient) => told.push(client));
    const [used, idle] = await Promise.all([pool.connect(), pool.connect()]);
    idle.release();
    await terminate(used);
    await terminate(idle);
    await until('both are lost', () => pool.totalCount === 0);
    expect(told).toEqual([idle]);
    used.release();
  });
});
