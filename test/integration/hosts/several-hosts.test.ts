import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  WrongHostError,
  type Config,
  type InstrumentedPool,
  type PoolOptions,
  type TargetSessionAttrs,
} from '../../../src/index.js';
import { createClient, type ClientClass } from '../../../src/connection/driver.js';
import { requireKind } from '../../../src/connection/hosts/server-kind.js';
import { useNames } from '../../support/names.js';
import { forward } from '../../support/bastion.js';
import { useFakeServer } from '../../support/fake-server.js';
import type { RecordingLogger } from '../../support/logger.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { meterSdk, tracerSdk } from '../../support/telemetry.js';
import { rejection, until } from '../../support/until.js';

const primary = usePostgres();
const standby = usePostgres();
const silent = useFakeServer();
const makePool = usePools(primary);
const names = useNames();
const HOST = '127.0.0.1';
/** A port on which no server listens. */
const DEAD = { host: HOST, port: 1 };

beforeAll(async () => {
  // Both have the same login, because these servers do not replicate.
  await standby().query(`alter user postgres password '${primary().password}'`);
  await standby().demote();
});

const at = ({ host, port }: { host: string; port: number }) => ({ host, port });
const open = (
  hosts: Config['hosts'],
  targetSessionAttrs?: TargetSessionAttrs,
  options?: PoolOptions,
  config?: Partial<Config>,
): Promise<InstrumentedPool & { readonly log: RecordingLogger }> =>
  makePool(primary(), { host: undefined, port: undefined, hosts, targetSessionAttrs, ...config }, options);
const portOf = async (pool: InstrumentedPool): Promise<unknown> => {
  const { rows } = await pool.query<{ port: number }>('select inet_server_port() as port');
  return rows[0]?.port;
};

describe('several hosts', () => {
  test.each<[TargetSessionAttrs | undefined, 'primary' | 'standby']>([
    [undefined, 'standby'],
    ['any', 'standby'],
    ['read-write', 'primary'],
    ['primary', 'primary'],
    ['read-only', 'standby'],
    ['standby', 'standby'],
    ['prefer-standby', 'standby'],
  ])('with targetSessionAttrs %s lead to the %s', async (wanted, expected) => {
    const pool = await open([DEAD, at(standby()), at(primary())], wanted);
    expect(await portOf(pool)).toBe((expected === 'primary' ? primary() : standby()).port);
    const other = await open([DEAD, at(primary()), at(standby())], wanted);
    const first = wanted === undefined || wanted === 'any';
    expect(await portOf(other)).toBe((first || expected === 'primary' ? primary() : standby()).port);
  });

  test('with prefer-standby lead to a primary if there is no standby', async () => {
    const pool = await open([DEAD, at(primary())], 'prefer-standby');
    expect(await portOf(pool)).toBe(primary().port);
  });

  test('none of which has the requested role reject with the role of each', async () => {
    const pool = await open([DEAD, at(standby())], 'primary');
    const error = await rejection(pool.query('select 1'));
    expect(error).toBeInstanceOf(WrongHostError);
    expect(error.code).toBe('ERR_PGAUGE_WRONG_HOST');
    expect(error.message).toContain(`${HOST}:1: connect ECONNREFUSED`);
    expect(error.message).toContain(
      `${HOST}:${standby().port}: the server is a standby (targetSessionAttrs is primary)`,
    );
    expect(pool.log.closeReasons).toEqual(['read_only']);
    expect(pool.totalCount).toBe(0);
  });

  test('none of which can be reached reject with one error that names each of them', async () => {
    const pool = await open([DEAD, { host: HOST, port: 2 }]);
    const error = await rejection(pool.query('select 1'));
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(error.message).toMatch(/^no host could be used: 127.0.0.1:1: .*; 127.0.0.1:2: /);
  });

  test('a rejected login is not tried at the next host', async () => {
    const pool = await open([at(primary()), at(standby())], 'any', {}, { password: 'wrong' });
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28P01' });
    expect(pool.log.named('postgres connect failed')).toHaveLength(1);
  });

  test('with a silent first host leave enough time for the others', async () => {
    const hosts = [{ host: HOST, port: silent.port }, DEAD, at(primary())];
    const pool = await open(hosts, 'any', { connectTimeoutMs: 3_000 });
    expect(await portOf(pool)).toBe(primary().port);
    // The silent host is now tried last: the next connection goes straight to a host that works.
    const client = await pool.connect();
    const another = await pool.connect();
    expect(silent.sessions).toHaveLength(1);
    client.release();
    another.release();
  });

  test('a single host with the wrong role is refused', async () => {
    const pool = await makePool(standby(), { targetSessionAttrs: 'read-write' });
    expect(await rejection(pool.query('select 1'))).toMatchObject({
      code: 'ERR_PGAUGE_WRONG_HOST',
      message: 'the server is read-only (targetSessionAttrs is read-write)',
    });
  });

  test('each have a CONNECT span and a create_time, with the address that was dialled', async () => {
    const { tracerProvider, spans } = tracerSdk();
    const { meterProvider, points } = meterSdk();
    const pool = await open([DEAD, at(primary())], 'any', { tracerProvider, meterProvider });
    await pool.query('select 1');
    const ports = spans()
      .filter(({ name }) => name.startsWith('CONNECT'))
      .map(({ attributes }) => attributes['server.port']);
    expect(ports).toEqual([1, primary().port]);
    const counts = (await points('db.client.connection.create_time')).map(({ attributes, value }) => [
      attributes['error.type'],
      (value as { count: number }).count,
    ]);
    expect(counts).toEqual(
      expect.arrayContaining([
        ['ECONNREFUSED', 1],
        [undefined, 1],
      ]),
    );
  });

  test('are each counted in pgauge.pool.host.connections, also with targetSessionAttrs any', async () => {
    const { meterProvider, points } = meterSdk();
    const hosts = [DEAD, at(standby()), at(primary())];
    const pool = await open(hosts, 'any', { meterProvider });
    const counts = async () =>
      Object.fromEntries(
        (await points('pgauge.pool.host.connections')).map(({ attributes, value }) => [
          `${String(attributes['server.address'])}:${String(attributes['server.port'])}`,
          value,
        ]),
      );
    const counted = (established: number) => ({
      [`${HOST}:1`]: 0,
      [`${HOST}:${standby().port}`]: established,
      [`${HOST}:${primary().port}`]: 0,
    });
    expect(await counts()).toEqual(counted(0));
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    expect(await counts()).toEqual(counted(2));
    clients[0].release(true);
    expect(await counts()).toEqual(counted(1));
    clients[1].release();
    await pool.end();
    expect(await counts()).toEqual(counted(0));
  });

  test('are passed to beforeConnect one after another', async () => {
    const seen: number[] = [];
    const pool = await open([DEAD, at(primary())], 'any', {
      beforeConnect: ({ port }) => void seen.push(port),
    });
    await pool.query('select 1');
    expect(seen).toEqual([1, primary().port]);
  });

  test('are abandoned when the pool ends while one is dialled', async () => {
    const pool = await open([{ host: HOST, port: silent.port }, at(primary())], 'any', {
      connectTimeoutMs: 60_000,
    });
    const waiting = rejection(pool.query('select 1'));
    await until('the first is dialled', () => silent.sessions.length > 0);
    await pool.end({ waiting: 'reject' });
    expect(await waiting).toMatchObject({ code: 'ERR_PGAUGE_POOL_ENDED' });
    expect(pool.totalCount).toBe(0);
  });
});

test('each address of a host name is tried until one has the requested role', async () => {
  // A machine with one loopback address gets the other one by `sudo ifconfig lo0 alias 127.0.0.2`.
  const tunnel = await forward(standby(), '127.0.0.2', primary().port);
  names.set('cluster.test', '127.0.0.2', HOST);
  const { tracerProvider, spans } = tracerSdk();
  const pool = await makePool(
    { host: 'cluster.test', port: primary().port },
    { targetSessionAttrs: 'read-write' },
    { tracerProvider },
  );
  expect(await portOf(pool)).toBe(primary().port);
  const dialled = spans().filter(({ name }) => name.startsWith('CONNECT'));
  expect(dialled.map(({ attributes }) => attributes['network.peer.address'])).toEqual(['127.0.0.2', HOST]);
  expect(dialled.map(({ attributes }) => attributes['server.address'])).toEqual([
    'cluster.test',
    'cluster.test',
  ]);
  names.set('cluster.test', HOST, '127.0.0.2');
  const reader = await makePool(
    { host: 'cluster.test', port: primary().port },
    { targetSessionAttrs: 'standby' },
  );
  expect(await portOf(reader)).toBe(standby().port);
  await pool.end();
  await reader.end();
  tunnel.close();
});

test('shuffled hosts each get connections', async () => {
  const hosts = [at(primary()), at(standby())];
  const pool = await open(hosts, 'any', {}, { loadBalanceHosts: 'random', maxOpenConns: 30 });
  const clients = await Promise.all(Array.from({ length: 30 }, () => pool.connect()));
  const ports = new Set(clients.map(({ port }) => port));
  expect(ports).toEqual(new Set(hosts.map(({ port }) => port)));
  for (const client of clients) client.release();
});

describe('a server that does not report its role', () => {
  test.each<[TargetSessionAttrs, 'primary' | 'standby']>([
    ['read-write', 'primary'],
    ['primary', 'primary'],
    ['read-only', 'standby'],
    ['standby', 'standby'],
    ['prefer-standby', 'standby'],
  ])('is queried for its role: %s', async (wanted, right) => {
    for (const server of [primary(), standby()]) {
      const { host, port, database, user } = server;
      const client = createClient(pg.Client as unknown as ClientClass, {
        ...{ host, port, database, user, password: primary().password, ssl: false },
      });
      await client.connect();
      const asked = requireKind(client, {}, wanted);
      if (server === (right === 'primary' ? primary() : standby())) await asked;
      else expect(await rejection(asked)).toBeInstanceOf(WrongHostError);
      await client.end();
    }
  });
});

describe('a host that changes its role', () => {
  /** A primary that only these tests use and may demote, and a standby that they may promote. */
  const own = usePostgres();
  beforeEach(async () => {
    await own().query(`alter user postgres password '${primary().password}'`);
  });
  afterEach(async () => {
    const { rows } = await own().query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
    if (rows[0]?.standby === true) await own().query('select pg_promote()');
  });

  test('loses every connection once one write fails with 25006', async () => {
    const pool = await open([at(own()), at(primary())], 'read-write', {}, { maxOpenConns: 3 });
    const [writer, held, idle] = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    idle.release();
    // Like a writer that has become read-only.
    await writer.query('set default_transaction_read_only = on');
    expect(await rejection(writer.query('create table t ()'))).toMatchObject({
      code: '25006',
    });
    expect(pool.idleCount).toBe(0);
    held.release();
    writer.release();
    // The server's ReadyForQuery may not have arrived yet.
    await until('all are closed', () => pool.totalCount === 0);
    expect(pool.log.closeReasons).toEqual(['read_only', 'read_only', 'read_only']);
  });

  test('loses every connection that requested a standby once it is promoted', async () => {
    await own().demote();
    const pool = await open([at(own()), at(standby())], 'standby', {}, { maxOpenConns: 2 });
    const held = await pool.connect();
    await pool.query('select 1');
    await own().query('select pg_promote()');
    await until('it is promoted', async () => {
      const { rows } = await own().query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
      return rows[0]?.standby === false;
    });
    // The server reports the change with its next answer.
    await held.query('select 1');
    expect(pool.idleCount).toBe(0);
    held.release();
    await until('the other is closed', () => pool.totalCount === 0);
    expect(await portOf(pool)).toBe(standby().port);
    expect(pool.log.closeReasons).toEqual(expect.arrayContaining(['read_only', 'read_only']));
  });
});
