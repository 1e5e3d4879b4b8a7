import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConnectTimeoutError } from '../../../src/index.js';
import { useProxy } from '../../support/proxy.js';
import { backendsRunning } from '../../support/sessions.js';
import { rejection, until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { dropSyns, freeze, freezeListener } from '../support/signals.js';
import { useWatchedPools } from '../support/watched-pools.js';

// Few connections, so that the queue of the listening socket is short too.
const server = useFaultServer({ max_connections: '10' });
const proxy = useProxy(server);
const makePool = useWatchedPools(server);

/**
 * A generous bound for a waiting caller to get a new connection after a dead one was discarded, in milliseconds: a
 * pool that waits for the dead socket takes until the acquire timeout, 30 s.
 */
const SERVED_MS = 8_000;

beforeEach(() => proxy().clear());

const running = (mark: string): Promise<number> => backendsRunning(server(), mark);

/** Locks a table in a separate session; returns a function that unlocks it. */
async function lockTable(name: string): Promise<() => Promise<void>> {
  const { socketDir: host, port, user, password, database } = server();
  const client = new pg.Client({ host, port, user, password, database, ssl: false });
  await client.connect();
  await client.query(`begin; lock table ${name}`);
  return () => client.end();
}

/** Ends whatever was started. */
type Begun = () => void | Promise<void>;

const ON_CONNECT: [string, () => { host: string; port: number }, () => Begun | Promise<Begun>][] = [
  ['a hanging server accepts no connection', server, () => freezeListener(server())],
  ['the SYN is dropped', server, () => dropSyns(server())],
  [
    'the network drops everything that is sent',
    proxy,
    () => {
      proxy().set({ blackHole: true });
      return () => proxy().clear();
    },
  ],
];

describe.each(ON_CONNECT)('a connect where %s', (_how, to, begin) => {
  test('rejects at its deadline with “timeout” in the message, and leaves no socket', async () => {
    const pool = await makePool(to(), { maxOpenConns: 2 }, { connectTimeoutMs: 1_500 });
    const end = await begin();
    const calls = [pool.connect(), pool.query(unique('select 1')), pool.connect()].map(rejection);
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(ConnectTimeoutError);
      expect(error.message).toContain('timeout');
    }
    await until('the sockets are gone', () => pool.socketsHeld() === 0);
    expect(pool.totalCount).toBe(0);
    await end();
    await pool.keepsTheRules({ timeout: 'any' });
  });

  test('that outlasts the acquire timeout rejects with the message of node-postgres', async () => {
    const pool = await makePool(to(), { maxOpenConns: 1 }, { connectTimeoutMs: 2_000 });
    const end = await begin();
    const error = await rejection(pool.connect({ timeoutMs: 300 }));
    expect(error.message).toMatch(/^timeout exceeded when trying to connect/);
    await until('the attempt is given up too', () => pool.totalCount === 0);
    await end();
    await pool.keepsTheRules({ timeout: 'any' });
  });
});

describe('a query that gets no answer', () => {
  test('because the network drops it rejects at its deadline, and the waiting acquire is served', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    await pool.query(unique('select 1'));
    proxy().forgetOpen();
    const lost = rejection(pool.query(unique('select 1')));
    const waiting = pool.connect();
    expect((await lost).message).toMatch(/^Query read timeout/);
    const discardedAt = performance.now();
    const client = await waiting;
    expect(performance.now() - discardedAt).toBeLessThan(SERVED_MS);
    client.release();
    await until('its socket and that of its cancel request are gone', () => pool.socketsHeld() === 1);
    proxy().resetForgotten();
    await pool.keepsTheRules({ timeout: 1 });
  });

  test('because the answer was lost is not sent again', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 3_000 });
    await server().query('create table deeds (id int)');
    await pool.query(unique('select 1'));
    // The server receives the statement and runs it once it gets the lock; the answer is lost.
    const unlock = await lockTable('deeds');
    const lost = rejection(pool.query(unique('insert into deeds values (1)')));
    await until('it runs', () => running('insert into deeds'));
    proxy().forgetOpen();
    await unlock();
    expect((await lost).message).toContain('timeout');
    await until('its connection is given up', () => pool.totalCount === 0);
    proxy().resetForgotten();
    await pool.keepsTheRules({ timeout: 1 });
    expect((await server().query('select id from deeds')).rows).toEqual([{ id: 1 }]);
  });

  test('on a checked-out client rejects at its deadline, and the client may be released later', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    const client = await pool.connect();
    await client.query(unique('begin'));
    proxy().forgetOpen();
    const lost = rejection(client.query(unique('select 1')));
    const waiting = pool.connect();
    expect((await lost).message).toContain('timeout');
    const discardedAt = performance.now();
    (await waiting).release();
    expect(performance.now() - discardedAt).toBeLessThan(SERVED_MS);
    expect((await rejection(client.query(unique('commit')))).message).toContain('timeout');
    client.release();
    await until('its sockets are gone', () => pool.socketsHeld() === 1);
    proxy().resetForgotten();
    await pool.keepsTheRules({ timeout: 1 });
  });

  test('because its backend hangs rejects at its deadline', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 1_500 });
    const client = await pool.connect();
    const thaw = freeze((client as unknown as { processID: number }).processID);
    const lost = rejection(client.query(unique('select 1')));
    expect((await lost).message).toContain('timeout');
    client.release();
    await until('its sockets are gone', () => pool.socketsHeld() === 0);
    thaw();
    await pool.keepsTheRules({ timeout: 1 });
  });

  test('because it is slow rejects, is cancelled on the server, and keeps its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { queryTimeoutMs: 3_000 });
    const slow = rejection(pool.query(unique('select pg_sleep(60), 4711')));
    await until('the server runs it', () => running('4711'));
    expect((await slow).message).toMatch(/^Query read timeout/);
    await until('it is cancelled', async () => (await running('4711')) === 0);
    await until('the socket of its cancel request is gone', () => pool.socketsHeld() === 1);
    await pool.keepsTheRules({});
  });
});
