import type { PoolStat } from 'pgauge';
import { expect, test } from 'vitest';
import { logins, usePlace, type Report } from './support/place.js';

const { rds, query, run } = usePlace();
const MAX_CONNECTIONS = 5;

/** Runs an example that passes its pool to a tool; every login must be the pool's. */
async function report(folder: string): Promise<Report & { stat: PoolStat }> {
  const before = logins(rds());
  const told = (await run(`${folder}/main.ts`)) as Report & { stat: PoolStat };
  expect(told.stat.newConnsCount).toBe(logins(rds()) - before);
  expect(told.stat).toMatchObject({ maxConns: MAX_CONNECTIONS, acquiredConns: 0 });
  return told;
}

test('rate-limiter-flexible recognises the pool by its class name, and counts every visit', async () => {
  const { allowed, refused, left, queries } = await report('rate-limiter-flexible');
  expect({ allowed, refused, left }).toEqual({ allowed: 10, refused: 15, left: 0 });
  expect(await query('select points from limits.visits')).toEqual([{ points: 25 }]);
  expect(queries).toEqual({
    'create schema limits': 1,
    'CREATE TABLE "limits"."visits"': 1,
    'INSERT "limits"."visits"': 25,
    'SELECT "limits"."visits"': 1,
  });
});

test('better-auth creates its tables, signs users up and in, and refuses a wrong password', async () => {
  const { signedIn, refused, queries } = await report('better-auth');
  expect(signedIn).toEqual([0, 1, 2, 3, 4].map((n) => `user-${n}@example.com`));
  expect(refused).toBe('UNAUTHORIZED');
  expect(await query('select count(*)::int as users from auth."user"')).toEqual([{ users: 5 }]);
  expect(queries).toMatchObject({
    ...{ 'create table "user"': 1, 'create index "account_userId_idx"': 1 },
    ...{ begin: 5, 'insert "user"': 5, 'insert "account"': 5, 'insert "session"': 10, commit: 5 },
    'select select "user"': 11,
  });
});

test('graphile-worker completes every job although its sessions are killed under load', async () => {
  const { done, kills, stat, queries } = await report('graphile-worker');
  expect(done).toBe(100);
  expect(kills).toBeGreaterThanOrEqual(10);
  expect(stat.newConnsCount).toBeGreaterThan(MAX_CONNECTIONS);
  expect(await query('select * from graphile_worker.jobs')).toEqual([]);
  expect(queries).toMatchObject({
    'select "graphile_worker".add_job': 100,
    'delete "graphile_worker"._private_jobs': 100,
    // The queries that terminated their own session.
    'select: 57P01': 10,
  });
});

test('connect-pg-simple keeps the sessions of concurrent visitors', async () => {
  const { visitors, queries } = await report('connect-pg-simple');
  expect(visitors).toEqual(Array(10).fill(['1', '2', '3']));
  expect(await query('select count(*)::int as sessions from web.session')).toEqual([{ sessions: 10 }]);
  expect(queries).toMatchObject({ 'INSERT "web"."session" SELECT': 30, 'SELECT "web"."session"': 20 });
});

test('langgraph’s checkpointer keeps conversations apart, lists and deletes them, and ends the pool', async () => {
  const { conversations, steps, deleted, ended, queries } = await report('langgraph');
  expect(conversations).toEqual(Array(8).fill([2, ['to be continued']]));
  expect({ steps, deleted, ended }).toEqual({ steps: [2, 1, 0], deleted: true, ended: true });
  expect(queries).toMatchObject({
    'SELECT "agents".checkpoint_migrations: 42P01': 1,
    'INSERT "agents".checkpoints': 24,
    'INSERT "agents".checkpoint_writes': 8,
    'DELETE "agents".checkpoints': 1,
  });
});
