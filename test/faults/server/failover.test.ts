import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startPostgres, type LocalPostgres } from '../../../local-rds/postgres.js';
import { rejection, until } from '../../support/until.js';
import { useProxy } from '../../support/proxy.js';
import { TELLING, unique, useFaultServer } from '../support/fault-server.js';
import { useNames } from '../../support/names.js';
import { turnIntoStandby } from '../support/recovery.js';
import { useWatchedPools, type WatchedPool } from '../support/watched-pools.js';

/** The second loopback address; macOS has it after `sudo ifconfig lo0 alias 127.0.0.2`. */
const OTHER_ADDRESS = '127.0.0.2';
const NAME = 'writer.test';
/** A generous bound for the first query on the new writer, in milliseconds: well before any default timeout. */
const FAILED_OVER_MS = 10_000;

const names = useNames();
const first = useFaultServer();
// A proxy in front of the first server, so that it can vanish silently.
const proxy = useProxy(first);
let second: LocalPostgres | undefined;
const other = (): LocalPostgres => {
  if (second === undefined) throw new Error('the second server does not run yet');
  return second;
};
const makePool = useWatchedPools(first, other);

beforeAll(async () => {
  second = await startPostgres({
    port: proxy().port,
    settings: { ...TELLING, listen_addresses: OTHER_ADDRESS },
  });
  await second.query(`alter role postgres password '${first().password}'`);
  for (const server of [first(), second]) await server.query('create table deeds (at text)');
});
afterAll(() => second?.stop());

beforeEach(() => {
  proxy().clear();
  names.set(NAME, proxy().host);
});

function poolOnName(maxOpenConns = 3): Promise<WatchedPool> {
  return makePool({ host: NAME, port: proxy().port }, { maxOpenConns }, { connectTimeoutMs: 2_000 });
}

async function fill(pool: WatchedPool, connections: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  for (const client of clients) client.release();
}

/** The server that answers, identified by its data folder. */
async function whoAnswers(pool: WatchedPool): Promise<LocalPostgres | undefined> {
  const { rows } = await pool.query<{ at: string }>(unique("select current_setting('data_directory') as at"));
  return [first(), other()].find(({ socketDir }) => rows[0]?.at.startsWith(socketDir));
}

/** Queries until a server answers, as an application does; returns that server and how long it took. */
async function firstAnswer(pool: WatchedPool): Promise<{ server: LocalPostgres | undefined; ms: number }> {
  const startedAt = performance.now();
  const server = await until('somebody answers', () => whoAnswers(pool).catch(() => undefined));
  return { server, ms: performance.now() - startedAt };
}

const DEPARTURES: [string, () => void | Promise<void>][] = [
  ['resets its connections and refuses new ones', () => proxy().close()],
  ['stops answering', () => proxy().set({ blackHole: true })],
];

describe.each(DEPARTURES)('an old writer that %s', (_how, depart) => {
  test('is replaced by the server at the new address of its name', async () => {
    const pool = await poolOnName();
    expect(await whoAnswers(pool)).toBe(first());
    await fill(pool, 3);
    // Long enough for the connections to be pinged before use, as most idle ones are when a failover happens.
    await sleep(1_100);
    await depart();
    names.set(NAME, OTHER_ADDRESS);
    const { server, ms } = await firstAnswer(pool);
    expect(server).toBe(other());
    expect(ms).toBeLessThan(FAILED_OVER_MS);
    await until('those to the old one are gone', () => pool.log.closeReasons.length === 3);
    proxy().clear();
    await proxy().pause();
    await proxy().listen();
    await pool.keepsTheRules({ network: 3 });
  });
});

describe('the host name of a server', () => {
  test('is resolved at each dial, and at no other time', async () => {
    const pool = await poolOnName();
    const before = names.questions;
    await fill(pool, 3);
    expect(names.questions - before).toBe(3);
    await pool.query(unique('select 1'));
    expect(names.questions - before).toBe(3);
    pool.reset();
    await pool.query(unique('select 1'));
    expect(names.questions - before).toBe(4);
    await pool.keepsTheRules({ lifetime: 3 });
  });

  test('that does not exist at first rejects with the DNS code, and works once it exists', async () => {
    const pool = await makePool({ host: 'later.test', port: proxy().port });
    expect((await rejection(pool.query(unique('select 1')))).code).toBe('ENOTFOUND');
    expect(pool.log.named('postgres connect failed')).toMatchObject([
      { fields: { error_type: 'ENOTFOUND' } },
    ]);
    names.set('later.test', OTHER_ADDRESS);
    await pool.keepsTheRules({});
  });
});

describe('a target that beforeConnect changes', () => {
  test('is dialled at the next connect', async () => {
    let writer = { host: proxy().host, port: proxy().port };
    const pool = await makePool(
      { host: 'unused.test', port: 1 },
      { maxOpenConns: 2 },
      { beforeConnect: (target) => void Object.assign(target, writer) },
    );
    expect(await whoAnswers(pool)).toBe(first());
    proxy().resetAll();
    writer = { host: OTHER_ADDRESS, port: proxy().port };
    const { server, ms } = await firstAnswer(pool);
    expect(server).toBe(other());
    expect(ms).toBeLessThan(FAILED_OVER_MS);
    await pool.keepsTheRules({ network: 1 });
  });
});

describe('an old writer that has become a reader', () => {
  test('has its connection closed after a failed write, and the next write reaches the new writer', async () => {
    const pool = await poolOnName(1);
    await pool.query(unique("insert into deeds values ('old')"));
    const promote = await turnIntoStandby(first());
    // The name still resolves to the old writer, as it does until its TTL has passed.
    await until('the restart is noticed', () => pool.totalCount === 0);
    expect((await rejection(pool.query(unique("insert into deeds values ('reader')")))).code).toBe('25006');
    await until('the connection is evicted', () => pool.totalCount === 0);
    names.set(NAME, OTHER_ADDRESS);
    const startedAt = performance.now();
    await pool.query(unique("insert into deeds values ('new')"));
    expect(performance.now() - startedAt).toBeLessThan(FAILED_OVER_MS);
    expect((await other().query('select at from deeds')).rows).toEqual([{ at: 'new' }]);
    expect((await first().query('select at from deeds')).rows).toEqual([{ at: 'old' }]);
    await pool.keepsTheRules({ server_closed: 1, read_only: 1 });
    await promote();
  });

  test('and keeps its connections open loses each connection whose write failed, while those that only read stay', async () => {
    const pool = await poolOnName(2);
    const [reader, writer] = [await pool.connect(), await pool.connect()];
    await first().query('alter system set default_transaction_read_only = on');
    await first().query('select pg_reload_conf()');
    await until('it is a reader', async () => {
      const { rows } = await writer.query<{ on: string }>(
        unique("select current_setting('transaction_read_only') as on"),
      );
      return rows[0]?.on === 'on';
    });
    expect((await rejection(writer.query(unique("insert into deeds values ('reader')")))).code).toBe('25006');
    await reader.query(unique('select 1'));
    writer.release();
    reader.release();
    await until('the writer is judged', () => pool.totalCount === 1);
    expect(pool.idleCount).toBe(1);
    await first().query('alter system reset default_transaction_read_only');
    await first().query('select pg_reload_conf()');
    await pool.keepsTheRules({ read_only: 1 });
  });
});

describe('maxConnecting', () => {
  test('limits the attempts at a time on the new writer, however many acquires wait', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 10 }, { maxConnecting: 3 });
    await fill(pool, 10);
    let loggedIn = 0;
    let most = 0;
    proxy().clear();
    // Logins take long enough to overlap. A ReadyForQuery counts as a login, because nothing else is sent.
    proxy().set({
      delayMs: 15,
      messageDelayMs: (type) => {
        if (type === 'Z') loggedIn += 1;
        return 0;
      },
    });
    const watch = setInterval(() => {
      most = Math.max(most, proxy().accepted - loggedIn);
    }, 1);
    await until('all are lost', () => pool.totalCount === 0);
    const clients = await Promise.all(Array.from({ length: 10 }, () => pool.connect()));
    clearInterval(watch);
    expect(proxy().accepted).toBe(10);
    expect(loggedIn).toBe(10);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
    proxy().set({ delayMs: 0 });
    for (const client of clients) client.release();
    await pool.keepsTheRules({ network: 10 });
  });
});
