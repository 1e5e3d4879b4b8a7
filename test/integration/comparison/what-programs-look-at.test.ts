// The statements in the migration guide about pg.Pool, and about pgauge in the same place.
import type { Socket } from 'node:net';
import type { Pool, PoolClient } from 'pg';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { fromPgConfig, newPoolSync } from '../../../src/index.js';
import { backendPid } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import type { Kind } from './either-pool.js';

const server = usePostgres();
const KINDS: readonly Kind[] = ['pg.Pool', 'pgauge'];

const pools: Pool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) if (!pool.ending) await pool.end();
});

/** A pool of either kind, made from the same settings. */
function open(kind: Kind, settings: pg.PoolConfig = {}): Pool {
  const { host, port, user, password, database } = server();
  const given = { host, port, user, password, database, max: 1, log: () => undefined, ...settings };
  const made = (): unknown => {
    const { config, options } = fromPgConfig(given);
    return newPoolSync(config, options);
  };
  const pool = kind === 'pg.Pool' ? new pg.Pool(given) : (made() as Pool);
  pools.push(pool);
  return pool;
}

/** A held client whose session has ended, and which has emitted `end`. */
async function lostClient(pool: Pool): Promise<PoolClient> {
  const client = await pool.connect();
  const pid = await backendPid(client);
  // Do not use `once` of node:events, which rejects on an error.
  const ended = new Promise((resolve) => client.once('end', resolve));
  client.on('error', () => undefined);
  await server().query('select pg_terminate_backend($1)', [pid]);
  await ended;
  return client;
}

describe.each(KINDS)('with %s', (kind) => {
  const ours = kind === 'pgauge';

  test(`a failed pool.query ${ours ? 'keeps' : 'closes'} its connection`, async () => {
    const pool = open(kind);
    await rejection(pool.query('select 1/0'));
    await until('the query is over', () => pool.idleCount === pool.totalCount);
    expect(pool.totalCount).toBe(ours ? 1 : 0);
  });

  test(`a held client that is lost ${ours ? 'leaves totalCount at once' : 'counts until it is released'}`, async () => {
    const pool = open(kind);
    const client = await lostClient(pool);
    expect(pool.totalCount).toBe(ours ? 0 : 1);
    client.release();
    expect(pool.totalCount).toBe(0);
  });

  test(`a query on a lost client rejects with ${ours ? 'the error of the lost connection' : "the driver's generic error"}`, async () => {
    const client = await lostClient(open(kind));
    const error = await rejection(client.query('select 1'));
    if (ours) expect(error.code).toBe('57P01');
    else expect(error.message).toMatch(/^Client has encountered a connection error/);
    client.release();
  });

  test(`an error emitted on a held client ${ours ? 'makes it count as lost' : 'changes nothing'}`, async () => {
    const pool = open(kind);
    const client = await pool.connect();
    client.on('error', () => undefined);
    client.emit('error', new Error('mine'));
    expect(pool.totalCount).toBe(ours ? 0 : 1);
    client.release(true);
  });

  test(`options.password is ${ours ? 'a non-enumerable function that returns it' : 'the given value'}`, async () => {
    const { options } = open(kind);
    const { password } = options as { password: unknown };
    expect(Object.keys(options)).not.toContain('password');
    expect(ours ? await (password as () => Promise<string>)() : password).toBe(server().password);
  });

  test(`the underscored lists ${ours ? 'stay empty' : 'hold clients and waiters'}`, async () => {
    const pool = open(kind);
    const client = await pool.connect();
    const waiter = pool.connect();
    const { _clients, _pendingQueue } = pool as unknown as Record<string, unknown[]>;
    expect([_clients?.length, _pendingQueue?.length]).toEqual(ours ? [0, 0] : [1, 1]);
    expect([pool.totalCount, pool.waitingCount]).toEqual([1, 1]);
    client.release();
    (await waiter).release();
    const { _idle } = pool as unknown as Record<string, unknown[]>;
    expect(_idle).toHaveLength(ours ? 0 : 1);
    expect(pool.idleCount).toBe(1);
  });

  test(`log gets ${ours ? 'the messages and fields of pgauge' : 'the messages of pg-pool'}`, async () => {
    const said: unknown[][] = [];
    const pool = open(kind, { maxUses: 1, log: (...messages: unknown[]) => said.push(messages) });
    await pool.query('select 1');
    await until('it is told', () => said.length > 2);
    const texts = said.map(([text]) => text);
    if (ours) {
      expect(said).toContainEqual([
        'postgres connection closed',
        expect.objectContaining({ reason: 'max_uses' }) as object,
      ]);
    } else expect(texts).toContain('remove expended client');
  });

  test(`a held client has ${ours ? 'one error listener' : 'no error listener'}, and works without any`, async () => {
    const client = await open(kind).connect();
    expect(client.listenerCount('error')).toBe(ours ? 1 : 0);
    client.removeAllListeners('error');
    await client.query('select 1');
    client.release();
  });

  test(`the socket of a connection that is closed emits ${ours ? 'close' : 'end and close'}`, async () => {
    const pool = open(kind);
    const client = await pool.connect();
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    const seen: string[] = [];
    for (const event of ['end', 'close']) stream.on(event, () => seen.push(event));
    client.release(true);
    await until('the socket is closed', () => seen.includes('close'));
    expect(seen).toEqual(ours ? ['close'] : ['end', 'close']);
  });

  test(`a second end() ${ours ? 'settles with the first' : 'rejects'}`, async () => {
    const pool = open(kind);
    await pool.end();
    const second = pool.end().then(
      () => 'ended',
      (error: unknown) => (error as Error).message,
    );
    expect(await second).toBe(ours ? 'ended' : 'Called end on pool more than once');
  });

  test('the class name is BoundPool', () => {
    expect(open(kind).constructor.name).toBe('BoundPool');
  });
});

describe('a query callback', () => {
  test.each(KINDS)('of %s gets undefined for a missing error and for a missing result', async (kind) => {
    const pool = open(kind);
    const answer = (text: string): Promise<unknown[]> =>
      new Promise((resolve) => {
        pool.query(text, (...args: unknown[]) => resolve(args));
      });
    expect((await answer('select 1'))[0]).toBeUndefined();
    const [error, result] = await answer('select 1/0');
    expect(error).toMatchObject({ code: '22012' });
    expect(result).toBeUndefined();
  });
});
