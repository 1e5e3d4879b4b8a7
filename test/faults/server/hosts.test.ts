import { beforeAll, expect, test } from 'vitest';
import type { Config, InstrumentedPool } from '../../../src/index.js';
import { freePorts } from '../../support/free-ports.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { useNames } from '../../support/names.js';
import { rejection, until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { holdInRecovery, turnIntoStandby } from '../support/recovery.js';

const first = useFaultServer();
const second = useFaultServer();
const makePool = usePools(first);
const proxy = useProxy(first);
// Names of the domain `test` do not exist until a test sets them.
useNames();

beforeAll(async () => {
  // Both have the same login and table, because these servers do not replicate.
  await second().query(`alter user ${first().user} password '${first().password}'`);
  for (const server of [first(), second()]) await server.query('create table kept (id int)');
});

const at = ({ host, port }: { host: string; port: number }) => ({ host, port });
const open = (
  hosts: Config['hosts'],
  config: Partial<Config> = {},
  options = {},
): Promise<InstrumentedPool> =>
  makePool(first(), { host: undefined, port: undefined, hosts, ...config }, options);
const portOf = async (pool: InstrumentedPool): Promise<unknown> =>
  (await pool.query<{ port: number }>('select inet_server_port() as port')).rows[0]?.port;

test('a standby that has not caught up and accepts no logins yet is skipped', async () => {
  const release = await holdInRecovery(first());
  try {
    const pool = await open([at(first()), at(second())], { targetSessionAttrs: 'prefer-standby' });
    expect(await portOf(pool)).toBe(second().port);
  } finally {
    await release();
  }
});

test('when a primary is demoted during a transaction, the COMMIT fails, nothing is written, and the next query goes to the new primary', async () => {
  const pool = await open(
    [at(first()), at(second())],
    { targetSessionAttrs: 'primary', maxOpenConns: 3 },
    { connectRetryMs: 60_000, acquireTimeoutMs: 60_000 },
  );
  const [client, held] = [await pool.connect(), await pool.connect()];
  await client.query('begin');
  await client.query('insert into kept values (1)');
  const promote = await turnIntoStandby(first());
  try {
    const error = await rejection(client.query('commit'));
    expect(['57P01', 'ECONNRESET', 'EPIPE', undefined]).toContain((error as { code?: string }).code);
    client.release();
    held.release();
    await until('the lost connections are gone', () => pool.totalCount === 0);
    await pool.query('insert into kept values (2)');
    expect(await portOf(pool)).toBe(second().port);
    expect((await first().query(unique('select id from kept'))).rows).toEqual([]);
    expect((await second().query(unique('select id from kept'))).rows).toEqual([{ id: 2 }]);
  } finally {
    await promote();
  }
});

test('when all hosts are down for longer than every deadline, the acquire rejects in time with the error of each host', async () => {
  const [one = 0, two = 0] = await freePorts(2);
  const pool = await open(
    [
      { host: '127.0.0.1', port: one },
      { host: '127.0.0.1', port: two },
      { host: 'nowhere.test', port: 1 },
    ],
    { targetSessionAttrs: 'primary' },
    { connectRetryMs: 120_000, acquireTimeoutMs: 1_500 },
  );
  const error = await rejection(pool.query('select 1'));
  expect(error).toMatchObject({ code: 'ERR_PGAUGE_ACQUIRE_TIMEOUT' });
  const { cause } = error as { cause?: Error };
  expect(cause?.message).toContain(`127.0.0.1:${one}: connect ECONNREFUSED`);
  expect(cause?.message).toContain(`127.0.0.1:${two}: connect ECONNREFUSED`);
  expect(cause?.message).toMatch(/nowhere\.test:1: .*ENOTFOUND/);
  expect(pool.totalCount).toBe(0);
});

test('a silent host gets its share of the time at first, and little later while a standby answers', async () => {
  const promote = await turnIntoStandby(first());
  proxy().set({ blackHole: true });
  try {
    const pool = await open(
      [at(proxy()), at(first())],
      { targetSessionAttrs: 'primary' },
      { acquireTimeoutMs: 120_000, connectTimeoutMs: 6_000 },
    );
    const waited = async (): Promise<number> => {
      const { message } = await rejection(pool.query('select 1'));
      expect(message).toContain('the server is a standby');
      return Number(/connection timeout after (\d+) ms/.exec(message)?.[1]);
    };
    expect(await waited()).toBeGreaterThan(1_000);
    expect(await waited()).toBe(900);
  } finally {
    proxy().clear();
    await promote();
  }
});

test('a host whose name does not resolve is skipped', async () => {
  const pool = await open([{ host: 'unheard-of.test', port: 1 }, at(first())], {
    targetSessionAttrs: 'primary',
  });
  expect(await portOf(pool)).toBe(first().port);
});

test('pool.options shows the first of several hosts and the user, without the password', async () => {
  const pool = await open([at(first()), at(second())]);
  expect(pool.options).toMatchObject({ ...at(first()), user: first().user });
  expect(JSON.stringify(pool.options)).not.toContain(first().password);
});
