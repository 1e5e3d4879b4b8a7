import type { PoolClient } from 'pg';
import type { Config, InstrumentedPool, PoolOptions } from '../../../src/index.js';
import { rejection, until } from '../../support/until.js';
import type { Truth } from './truth.js';

/** The actions that a script may use to bring its pool into a state. */
export interface Scene {
  readonly pool: InstrumentedPool;
  /** Acquires a client that is released when the test ends. */
  hold(): Promise<PoolClient>;
  /** Keeps a promise that stays pending until the test ends. */
  leave(promise: Promise<unknown>): void;
  /** Ends the sessions of the pool, as an administrator does. */
  terminateSessions(): Promise<void>;
  /** Cuts the connections of the pool silently. */
  cutConnections(): void;
  /** Swallows all traffic between the pool and its server until the returned function is called. */
  silence(): () => void;
}

/** A state, how to reach it from a new pool, and the numbers that are then true. */
export interface State {
  readonly name: string;
  readonly config?: Partial<Config>;
  readonly options?: PoolOptions | ((gate: Promise<void>) => PoolOptions);
  /** Whether to dial through a proxy, or a port on which no server listens. */
  readonly through?: 'proxy' | 'closed port';
  reach(scene: Scene): unknown;
  readonly truth: Truth;
}

class HookError extends Error {}

/** The maximum of a scene's pool, unless its config says otherwise. */
export const LIMIT = 2;
const one = { acquires: { ok: 1 }, attempts: { ok: 1 }, empty: 1 };
/** One connection was opened, used once, and is gone. */
export const gone = { ...one, uses: 1, limit: LIMIT };

/** Acquires, queries and releases. */
export async function useOnce({ pool }: Scene): Promise<void> {
  await pool.query('select 1');
}

function failing(config: Partial<Config>, options: PoolOptions = {}): Omit<State, 'name' | 'truth'> {
  return { config, options, reach: ({ pool }) => rejection(pool.connect()) };
}

/** States of a pool that works. */
export const ALIVE: readonly State[] = [
  { name: 'empty', reach: () => undefined, truth: { limit: LIMIT } },
  {
    name: 'filled to its minimum',
    config: { minConns: 2 },
    reach: ({ pool }) => until('two idle', () => pool.idleCount === 2),
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
    reach: ({ pool, leave }) => leave(pool.query('select 1')),
    truth: { limit: LIMIT, connecting: 1, pending: 1 },
  },
  {
    name: 'connecting, still in afterConnect',
    options: (gate) => ({ afterConnect: () => gate }),
    reach: ({ pool, leave }) => {
      leave(pool.query('select 1'));
      leave(pool.query('select 1'));
      leave(pool.query('select 1'));
    },
    truth: { limit: LIMIT, connecting: 2, pending: 3, sessions: 2 },
  },
];

/** States after an acquire, attempt or query that failed. */
export const AFTER_ERRORS: readonly State[] = [
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
    // Longer than a login on a busy machine, because otherwise there is no socket to count.
    ...failing({}, { connectTimeoutMs: 2_000, afterConnect: () => new Promise<void>(() => undefined) }),
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
    reach: ({ pool }) => rejection(pool.connect({ signal: AbortSignal.abort() })),
    truth: { limit: LIMIT, acquires: { AbortError: 1 }, canceled: 1 },
  },
];
