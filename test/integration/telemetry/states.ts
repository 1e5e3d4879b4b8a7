import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Config, InstrumentedPool, PoolOptions } from '../../../src/index.js';
import { rejection, until } from '../../support/until.js';
import type { Truth } from './truth.js';

/** What a script may use to bring its pool into a state. */
export interface Scene {
  readonly pool: InstrumentedPool;
  /** Acquires a client that is given back when the test ends. */
  hold(): Promise<PoolClient>;
  /** Keeps the outcome of what stays undecided until the test ends. */
  leave(promise: Promise<unknown>): void;
  /** Ends the sessions of the pool, as an administrator does. */
  terminateSessions(): Promise<void>;
  /** Cuts the connections of the pool without a word. */
  cutConnections(): void;
}

/** A state, how to reach it from a new pool, and what is then true. */
export interface State {
  readonly name: string;
  readonly config?: Partial<Config>;
  readonly options?: PoolOptions | ((gate: Promise<void>) => PoolOptions);
  /** Dialled through a proxy; on a port at which nobody listens. */
  readonly through?: 'proxy' | 'closed port';
  reach(scene: Scene): Promise<void>;
  readonly truth: Truth;
}

class HookError extends Error {}

const LIMIT = 2;
const one = { acquires: { ok: 1 }, attempts: { ok: 1 }, empty: 1 };
const gone = { ...one, uses: 1, limit: LIMIT };

async function useOnce({ pool }: Scene): Promise<void> {
  await pool.query('select 1');
}

function failing(config: Partial<Config>, options: PoolOptions = {}): Omit<State, 'name' | 'truth'> {
  return { config, options, reach: async ({ pool }) => void (await rejection(pool.connect())) };
}

const ALIVE: State[] = [
  { name: 'empty', reach: async () => undefined, truth: { limit: LIMIT } },
  {
    name: 'filled to its minimum',
    config: { minConns: 2 },
    reach: async ({ pool }) => void (await until('two idle', () => pool.idleCount === 2)),
    truth: { limit: LIMIT, idleMin: 2, idle: 2, attempts: { ok: 2 }, sessions: 2 },
  },
  {
    name: 'used',
    reach: async ({ hold }) => {
      await hold();
      await hold();
    },
    truth: { limit: LIMIT, used: 2, acquires: { ok: 2 }, attempts: { ok: 2 }, empty: 2, sessions: 2 },
  },
  {
    name: 'idle',
    reach: async ({ pool }) => {
      const clients = [await pool.connect(), await pool.connect()];
      for (const client of clients) client.release();
    },
    truth: {
      limit: LIMIT,
      idle: 2,
      acquires: { ok: 2 },
      attempts: { ok: 2 },
      empty: 2,
      uses: 2,
      sessions: 2,
    },
  },
  {
    name: 'one used, one idle',
    reach: async ({ pool, hold }) => {
      await hold();
      await pool.query('select 1');
    },
    truth: {
      ...{ limit: LIMIT, used: 1, idle: 1, acquires: { ok: 2 }, attempts: { ok: 2 }, empty: 2 },
      ...{ uses: 1, sessions: 2 },
    },
  },
  {
    name: 'idle again after three queries',
    reach: async (scene) => {
      for (let n = 0; n < 3; n++) await useOnce(scene);
    },
    truth: { ...one, limit: LIMIT, idle: 1, acquires: { ok: 3 }, uses: 3, sessions: 1 },
  },
  {
    name: 'waiting',
    config: { maxOpenConns: 1 },
    reach: async ({ pool, hold, leave }) => {
      await hold();
      leave(pool.query('select 1'));
      leave(pool.query('select 1'));
    },
    truth: { ...one, limit: 1, used: 1, pending: 2, sessions: 1 },
  },
  {
    name: 'idle after three waited in turn',
    config: { maxOpenConns: 1 },
    reach: async ({ pool }) => {
      await Promise.all([1, 2, 3].map((n) => pool.query('select $1::int', [n])));
    },
    truth: { ...one, limit: 1, idle: 1, acquires: { ok: 3 }, empty: 3, uses: 3, sessions: 1 },
  },
  {
    name: 'connecting, still in beforeConnect',
    options: (gate) => ({ beforeConnect: () => gate }),
    reach: async ({ pool, leave }) => leave(pool.query('select 1')),
    truth: { limit: LIMIT, connecting: 1, pending: 1 },
  },
  {
    name: 'connecting, still in afterConnect',
    options: (gate) => ({ afterConnect: () => gate }),
    reach: async ({ pool, leave }) => {
      leave(pool.query('select 1'));
      leave(pool.query('select 1'));
      leave(pool.query('select 1'));
    },
    truth: { limit: LIMIT, connecting: 2, pending: 3, sessions: 2 },
  },
];

const AFTER_ERRORS: State[] = [
  {
    name: 'after a failed query',
    reach: async ({ pool }) => {
      await rejection(pool.query('select 1/0'));
      await until('it is idle', () => pool.idleCount === 1);
    },
    truth: { ...gone, idle: 1, sessions: 1 },
  },
  {
    name: 'after a refused dial',
    ...failing({}),
    through: 'closed port',
    truth: { limit: LIMIT, acquires: { ECONNREFUSED: 1 }, attempts: { ECONNREFUSED: 1 } },
  },
  {
    name: 'after a rejected password',
    ...failing({ password: 'wrong' }),
    truth: {
      ...{ limit: LIMIT, acquires: { '28P01': 1 }, attempts: { '28P01': 1 } },
      ...{ closed: { auth: 1 }, closedInAttempt: 1 },
    },
  },
  {
    name: 'after a login to a database that is not there',
    ...failing({ database: 'missing' }),
    truth: {
      ...{ limit: LIMIT, acquires: { '3D000': 1 }, attempts: { '3D000': 1 } },
      ...{ closed: { server_closed: 1 }, closedInAttempt: 1 },
    },
  },
  {
    name: 'after a failed beforeConnect',
    ...failing({}, { beforeConnect: () => Promise.reject(new HookError('no')) }),
    truth: { limit: LIMIT, acquires: { HookError: 1 }, attempts: { HookError: 1 } },
  },
  {
    name: 'after a failed afterConnect',
    ...failing({}, { afterConnect: () => Promise.reject(new HookError('no')) }),
    truth: {
      ...{ limit: LIMIT, acquires: { HookError: 1 }, attempts: { HookError: 1 } },
      ...{ closed: { hook: 1 }, closedInAttempt: 1 },
    },
  },
  {
    name: 'after an attempt that took too long',
    // Not before the login is through on a busy machine, or there is no socket to count.
    ...failing({}, { connectTimeoutMs: 500, afterConnect: () => new Promise<void>(() => undefined) }),
    truth: {
      ...{ limit: LIMIT, acquires: { connect_timeout: 1 }, attempts: { connect_timeout: 1 } },
      ...{ closed: { timeout: 1 }, closedInAttempt: 1 },
    },
  },
  {
    name: 'after an acquire that timed out',
    config: { maxOpenConns: 1 },
    reach: async ({ pool, hold }) => {
      await hold();
      await rejection(pool.connect({ timeoutMs: 20 }));
    },
    truth: {
      ...one,
      ...{
        limit: 1,
        used: 1,
        acquires: { ok: 1, acquire_timeout: 1 },
        timeouts: 1,
        canceled: 1,
        sessions: 1,
      },
    },
  },
  {
    name: 'after an acquire that was aborted',
    config: { maxOpenConns: 1 },
    reach: async ({ pool, hold }) => {
      await hold();
      const abort = new AbortController();
      const failure = rejection(pool.connect({ signal: abort.signal }));
      abort.abort();
      await failure;
    },
    truth: {
      ...one,
      ...{ limit: 1, used: 1, acquires: { ok: 1, AbortError: 1 }, canceled: 1, sessions: 1 },
    },
  },
  {
    name: 'after an acquire with a signal aborted before',
    reach: async ({ pool }) => void (await rejection(pool.connect({ signal: AbortSignal.abort() }))),
    truth: { limit: LIMIT, acquires: { AbortError: 1 }, canceled: 1 },
  },
];

const CLOSED: State[] = [
  {
    name: 'after a release in an open transaction',
    reach: async ({ pool }) => {
      const client = await pool.connect();
      await client.query('begin');
      client.release();
    },
    truth: { ...gone, closed: { tx_open: 1 } },
  },
  {
    name: 'after a release in the middle of a query',
    reach: async ({ pool, leave }) => {
      const client = await pool.connect();
      leave(client.query('select pg_sleep(0.2)'));
      client.release();
    },
    truth: { ...gone, closed: { busy: 1 } },
  },
  {
    name: 'after a release with an error',
    reach: async ({ pool }) => (await pool.connect()).release(new Error('bad')),
    truth: { ...gone, closed: { released_with_error: 1 } },
  },
  {
    name: 'after the server ended an idle session',
    reach: async (scene) => {
      await useOnce(scene);
      await scene.terminateSessions();
      await until('it is gone', () => scene.pool.totalCount === 0);
    },
    truth: { ...gone, closed: { server_closed: 1 } },
  },
  {
    name: 'after the server ended a session in use',
    reach: async ({ pool, hold, terminateSessions }) => {
      await hold();
      await terminateSessions();
      await until('it is gone', () => pool.totalCount === 0);
    },
    truth: { ...gone, usesLost: 1, closed: { server_closed: 1 } },
  },
  {
    name: 'after a cut connection',
    through: 'proxy',
    reach: async (scene) => {
      await useOnce(scene);
      scene.cutConnections();
      await until('it is gone', () => scene.pool.totalCount === 0);
    },
    truth: { ...gone, closed: { network: 1 } },
  },
  {
    name: 'after a query that took too long',
    options: { queryTimeoutMs: 100 },
    reach: async ({ pool }) => void (await rejection(pool.query('select pg_sleep(20)'))),
    truth: { ...gone, usesLost: 0, closed: { timeout: 1 } },
  },
  {
    name: 'after a write on a server that takes none',
    options: { pg: { options: '-c default_transaction_read_only=on' } },
    reach: async ({ pool }) => {
      await rejection(pool.query('create table never (n int)'));
      await until('it is gone', () => pool.totalCount === 0);
    },
    truth: { ...gone, closed: { read_only: 1 } },
  },
  {
    name: 'after its last use',
    options: { maxUses: 1 },
    reach: useOnce,
    truth: { ...gone, closed: { max_uses: 1 } },
  },
  {
    name: 'after its lifetime',
    config: { connMaxLifetimeMs: 50 },
    options: { connMaxLifetimeJitterMs: 0 },
    reach: async (scene) => {
      await useOnce(scene);
      await until('it is gone', () => scene.pool.totalCount === 0);
    },
    truth: { ...gone, closed: { lifetime: 1 }, lifetimeDestroyed: 1 },
  },
  {
    name: 'after too long without use',
    options: { idleTimeoutMs: 50 },
    reach: async (scene) => {
      await useOnce(scene);
      await until('it is gone', () => scene.pool.totalCount === 0);
    },
    truth: { ...gone, closed: { idle: 1 }, idleDestroyed: 1 },
  },
  {
    name: 'after reset()',
    reach: async (scene) => {
      await useOnce(scene);
      scene.pool.reset();
    },
    truth: { ...gone, closed: { lifetime: 1 } },
  },
];

const ENDED: State[] = [
  { name: 'ended, never used', reach: ({ pool }) => pool.end(), truth: { limit: 0 } },
  {
    name: 'ended with an idle connection',
    reach: async (scene) => {
      await useOnce(scene);
      await scene.pool.end();
    },
    truth: { ...gone, limit: 0, closed: { pool_end: 1 } },
  },
  {
    name: 'ended with a used one that came back',
    reach: async ({ pool }) => {
      const client = await pool.connect();
      const ended = pool.end();
      await sleep(20);
      client.release();
      await ended;
    },
    truth: { ...gone, limit: 0, closed: { pool_end: 1 } },
  },
  {
    name: 'ended with a used one that did not',
    options: { endTimeoutMs: 50 },
    reach: async ({ pool, hold }) => {
      await hold();
      await pool.end();
    },
    truth: { ...gone, limit: 0, usesLost: 1, closed: { pool_end: 1 } },
  },
  {
    name: 'ended with one waiting',
    config: { maxOpenConns: 1 },
    reach: async ({ pool }) => {
      const client = await pool.connect();
      const waiter = rejection(pool.connect());
      const ended = pool.end();
      await waiter;
      client.release();
      await ended;
    },
    truth: { ...gone, limit: 0, acquires: { ok: 1, ERR_PGAUGE_POOL_ENDED: 1 }, closed: { pool_end: 1 } },
  },
  {
    name: 'ended while connecting',
    options: (gate) => ({ beforeConnect: () => gate }),
    reach: async ({ pool }) => {
      const waiter = rejection(pool.connect());
      await pool.end();
      await waiter;
    },
    truth: { limit: 0, acquires: { ERR_PGAUGE_POOL_ENDED: 1 }, attempts: { ERR_PGAUGE_POOL_ENDED: 1 } },
  },
];

/** Every state, each reached from a pool of its own that may have two connections. */
export const STATES: readonly State[] = [...ALIVE, ...AFTER_ERRORS, ...CLOSED, ...ENDED];
