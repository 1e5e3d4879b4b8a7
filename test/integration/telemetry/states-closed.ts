import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryConfig } from 'pg';
import { rejection, until } from '../../support/until.js';
import { gone, useOnce, type State } from './states.js';

/** States after a connection that was closed, one for each reason. */
export const CLOSED: readonly State[] = [
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
    name: 'after a release in the middle of a long query',
    reach: async ({ pool, leave }) => {
      const client = await pool.connect();
      // Longer than the one second it is given, even on a busy machine.
      leave(client.query('select pg_sleep(20)'));
      client.release();
      await until('it is destroyed', () => pool.totalCount === 0);
    },
    truth: { ...gone, closed: { busy: 1 } },
  },
  {
    name: 'after a release in the middle of a short query',
    reach: async ({ pool, leave }) => {
      const client = await pool.connect();
      leave(client.query('select pg_sleep(0.1)'));
      client.release();
      await until('it has been answered', () => pool.idleCount === 1);
    },
    truth: { limit: 2, idle: 1, acquires: { ok: 1 }, attempts: { ok: 1 }, empty: 1, uses: 1, sessions: 1 },
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
    reach: async ({ pool }) => {
      await rejection(pool.query('select pg_sleep(20)'));
      await until('it has stopped', () => pool.idleCount === 1);
    },
    truth: { limit: 2, idle: 1, acquires: { ok: 1 }, attempts: { ok: 1 }, empty: 1, uses: 1, sessions: 1 },
  },
  {
    name: 'after a query that the server did not stop',
    through: 'proxy',
    reach: async (scene) => {
      await useOnce(scene);
      const endSilence = scene.silence();
      await rejection(scene.pool.query({ text: 'select 1', query_timeout: 100 } as QueryConfig));
      await until('it is gone', () => scene.pool.totalCount === 0);
      endSilence();
      // The server has not been notified of it.
      scene.cutConnections();
    },
    truth: { ...gone, acquires: { ok: 2 }, uses: 2, closed: { timeout: 1 } },
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

/** States after `end()`. */
export const ENDED: readonly State[] = [
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
    name: 'ended with one waiting, which is served',
    config: { maxOpenConns: 1 },
    reach: async ({ pool }) => {
      const client = await pool.connect();
      const waiter = pool.query('select 1');
      const ended = pool.end();
      client.release();
      await Promise.all([waiter, ended]);
    },
    truth: { ...gone, limit: 0, acquires: { ok: 2 }, empty: 2, uses: 2, closed: { pool_end: 1 } },
  },
  {
    name: 'ended with one waiting, which is rejected',
    config: { maxOpenConns: 1 },
    reach: async ({ pool }) => {
      const client = await pool.connect();
      const waiter = rejection(pool.connect());
      const ended = pool.end({ waiting: 'reject' });
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
      await pool.end({ waiting: 'reject' });
      await waiter;
    },
    truth: { limit: 0, acquires: { ERR_PGAUGE_POOL_ENDED: 1 }, attempts: { ERR_PGAUGE_POOL_ENDED: 1 } },
  },
];
