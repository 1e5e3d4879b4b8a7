import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AcquireOptions, PoolOptions } from '../../../src/index.js';
import { useProxy } from '../../support/proxy.js';
import { rejection, until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { holdInRecovery } from '../support/recovery.js';
import { useWatchedPools, type WatchedPool } from '../support/watched-pools.js';

const server = useFaultServer({ max_connections: '12', superuser_reserved_connections: '0' });
const proxy = useProxy(server);
const makePool = useWatchedPools(server);

/** Longer than any outage of this file, even on a busy machine. */
const LONG = { connectRetryMs: 120_000, acquireTimeoutMs: 120_000 };

/** Puts the server into a state in which it accepts no login; returns a function that ends the state. */
type Fault = () => Promise<() => Promise<unknown>>;

const stopped: Fault = async () => {
  await server().stop({ keepData: true });
  return () => server().start();
};

/** Takes all of the server's connections. */
const full: Fault = async () => {
  const clients: pg.Client[] = [];
  for (;;) {
    const { socketDir: host, port, user, password, database } = server();
    const client = new pg.Client({ host, port, user, password, database, ssl: false });
    client.on('error', () => undefined);
    const error = await client.connect().then(
      () => undefined,
      (failure: unknown) => failure as { code?: string },
    );
    if (error?.code === '53300') return () => Promise.all(clients.map((taken) => taken.end()));
    if (error !== undefined) throw new Error('the server cannot be filled', { cause: error });
    clients.push(client);
  }
};

const FAULTS: [string, string, Fault][] = [
  ['is starting up', '57P03', () => holdInRecovery(server())],
  ['is down', 'ECONNREFUSED', stopped],
  ['is full', '53300', full],
];

const ask = (pool: WatchedPool): Promise<unknown> => pool.query(unique('select 1'));

beforeEach(() => proxy().clear());

describe.each(FAULTS)('with connectRetryMs, a server that %s', (_how, code, begin) => {
  test('fails no acquire, is dialled with pauses, and serves all waiting acquires once it is back', async () => {
    const pool = await makePool(server(), { maxOpenConns: 4 }, LONG);
    const end = await begin();
    const calls = Promise.all(Array.from({ length: 40 }, () => ask(pool)));
    await until('the outage is noticed', () => pool.log.named('postgres unreachable').length > 0);
    const before = pool.socketsDialled();
    await sleep(1_500);
    // After five pauses their bound is 1.6 s, so a dozen attempts would already be bad luck.
    expect(pool.socketsDialled() - before).toBeLessThanOrEqual(30);
    expect(pool.waitingCount).toBe(40);
    await end();
    expect(await calls).toHaveLength(40);
    expect(pool.log.named('postgres unreachable')).toMatchObject([
      { level: 'warn', fields: { error_type: code } },
    ]);
    expect(pool.log.named('postgres reachable again')[0]).toMatchObject({
      level: 'info',
      fields: { unreachable_ms: expect.any(Number) as number },
    });
    // A server that is starting up may report that before it accepts logins.
    await pool.keepsTheRules({ server_closed: code === 'ECONNREFUSED' ? 'any' : 'some' });
  });
});

describe('with connectRetryMs, a restart under load', () => {
  test('fails no acquire', async () => {
    const pool = await makePool(server(), { maxOpenConns: 5 }, LONG);
    let running = true;
    const failed: unknown[] = [];
    let acquired = 0;
    const work = async (): Promise<void> => {
      while (running) {
        const client = await pool.connect().catch((error: unknown) => void failed.push(error));
        if (client === undefined) continue;
        acquired += 1;
        // A query that is running during the restart may fail once.
        await client.query(unique('select pg_sleep(0.005)')).catch(() => undefined);
        client.release();
      }
    };
    const workers = Array.from({ length: 20 }, work);
    await until('the load runs', () => acquired > 50);
    await server().restart();
    const atReturn = acquired;
    await until('the load runs on', () => acquired > atReturn + 50);
    running = false;
    await Promise.all(workers);
    expect(failed).toEqual([]);
    await pool.keepsTheRules({ server_closed: 'any', network: 'any' });
  });
});

describe('with connectRetryMs, an outage', () => {
  test('that outlasts connectRetryMs ends in the timeout error, with the last connect error as its cause', async () => {
    await proxy().pause();
    const pool = await makePool(proxy(), {}, { connectRetryMs: 400, acquireTimeoutMs: 60_000 });
    const error = await rejection(pool.connect());
    expect(error).toMatchObject({
      code: 'ERR_PGAUGE_ACQUIRE_TIMEOUT',
      cause: { code: 'ECONNREFUSED' },
      message: expect.stringContaining('timeout exceeded when trying to connect') as string,
    });
    expect(pool.stat().canceledAcquireCount).toBe(1);
    await proxy().listen();
    await pool.keepsTheRules({});
  });

  test('never holds an acquire beyond its own timeout or its signal', async () => {
    await proxy().pause();
    const pool = await makePool(proxy(), {}, { connectRetryMs: 100_000, acquireTimeoutMs: 60_000 });
    const controller = new AbortController();
    const timed = rejection(pool.connect({ timeoutMs: 300 }));
    const aborted = rejection(pool.connect({ signal: controller.signal }));
    expect((await timed).code).toBe('ERR_PGAUGE_ACQUIRE_TIMEOUT');
    controller.abort(new Error('changed my mind'));
    expect((await aborted).message).toBe('changed my mind');
    expect(pool.waitingCount).toBe(0);
    await proxy().listen();
    await pool.keepsTheRules({});
  });

  test('does not make a rejected login or a failing hook wait', async () => {
    const wrong = await makePool(server(), { password: 'wrong' }, LONG);
    expect((await rejection(wrong.connect())).code).toBe('28P01');
    await wrong.end();
    const refused = Object.assign(new Error('the vault is down'), { code: 'ECONNREFUSED' });
    let down = true;
    const pool = await makePool(
      server(),
      {},
      {
        ...LONG,
        beforeConnect: () => {
          if (down) throw refused;
        },
      },
    );
    expect(await rejection(pool.connect())).toBe(refused);
    down = false;
    await pool.keepsTheRules({});
    await expect(wrong.keepsTheRules({})).rejects.toThrow('after calling end');
  });

  test("delays end() until it is over, unless called with waiting: 'reject'", async () => {
    await proxy().pause();
    const [serving, rejecting] = await Promise.all([
      makePool(proxy(), {}, LONG),
      makePool(proxy(), {}, LONG),
    ]);
    const [served, rejected] = [ask(serving), rejection(rejecting.connect())];
    await until('both wait', () =>
      [serving, rejecting].every(({ log }) => log.named('postgres unreachable').length > 0),
    );
    const ended = serving.end();
    await rejecting.end({ waiting: 'reject' });
    expect((await rejected).code).toBe('ERR_PGAUGE_POOL_ENDED');
    await proxy().listen();
    await served;
    await ended;
    for (const pool of [serving, rejecting]) {
      expect(pool.totalCount).toBe(0);
      await expect(pool.keepsTheRules({})).rejects.toThrow('after calling end');
    }
  });

  test.each<[string, PoolOptions, AcquireOptions, (pool: WatchedPool, controller: AbortController) => void]>([
    ['is rejected by a second end()', {}, {}, (pool) => void pool.end({ waiting: 'reject' })],
    ['is aborted by its signal', {}, {}, (_pool, controller) => controller.abort()],
    ['reaches its timeout', {}, { timeoutMs: 1_000 }, () => undefined],
    ['reaches connectRetryMs', { connectRetryMs: 1_000 }, {}, () => undefined],
    ['is rejected by endTimeoutMs', { endTimeoutMs: 1_000 }, {}, () => undefined],
  ])('lets end() resolve when the last waiting acquire %s', async (_how, options, terms, leave) => {
    await proxy().pause();
    const pool = await makePool(proxy(), {}, { ...LONG, ...options });
    const controller = new AbortController();
    const rejected = rejection(pool.connect({ ...terms, signal: controller.signal }));
    await until('the acquire waits', () => pool.log.named('postgres unreachable').length > 0);
    const ended = pool.end();
    leave(pool, controller);
    await rejected;
    await ended;
    expect(pool.totalCount).toBe(0);
    await expect(pool.keepsTheRules({})).rejects.toThrow('after calling end');
  });
});
