// The statements in the README's comparison about pg.Pool, and about pgauge in the same place.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { eitherPool, type Kind } from './either-pool.js';

const server = usePostgres();
const KINDS: readonly Kind[] = ['pg.Pool', 'pgauge'];
const LOST_CLIENT = new URL('scripts/lost-client.ts', import.meta.url);
/** Long enough for anything that would still happen. */
const A_WHILE_MS = 500;

const pools: Pool[] = [];
const open = async (kind: Kind, sizes?: { max?: number; min?: number }): Promise<Pool> => {
  const pool = await eitherPool(kind, server(), sizes);
  pools.push(pool);
  return pool;
};
afterEach(async () => {
  for (const pool of pools.splice(0)) if (!pool.ending) await pool.end();
});

describe('an acquire that waits when the pool ends', () => {
  const outcome = async (kind: Kind): Promise<unknown> => {
    const pool = await open(kind);
    const holder = await pool.connect();
    const waiter = pool.connect().then(
      (client) => {
        client.release();
        return 'served';
      },
      (error: unknown) => (error as Error).message,
    );
    const ended = pool.end();
    holder.release();
    await ended;
    return await Promise.race([waiter, sleep(A_WHILE_MS, 'still waits')]);
  };

  test('of pg.Pool waits for ever', async () => {
    expect(await outcome('pg.Pool')).toBe('still waits');
  });
  test('of pgauge is served', async () => {
    expect(await outcome('pgauge')).toBe('served');
  });
});

describe('an open transaction on a released client', () => {
  const nextUserSees = async (kind: Kind): Promise<unknown> => {
    const pool = await open(kind);
    const client = await pool.connect();
    await client.query('begin');
    await client.query('create table left_behind (n int)');
    client.release();
    const { rows } = await pool.query<{ seen: unknown }>("select to_regclass('left_behind') as seen");
    return rows[0]?.seen;
  };

  test('of pg.Pool stays open for the next user', async () => {
    expect(await nextUserSees('pg.Pool')).toBe('left_behind');
  });
  test('of pgauge is rolled back', async () => {
    expect(await nextUserSees('pgauge')).toBeNull();
  });
});

test.each([
  ['pg.Pool', 0],
  ['pgauge', 3],
] as const)('a minimum of three opens with %s %i connections', async (kind, opened) => {
  const pool = await open(kind, { max: 5, min: 3 });
  await until('the minimum is there', () => pool.totalCount === opened);
  await sleep(A_WHILE_MS);
  expect(pool.totalCount).toBe(opened);
});

describe.each(KINDS)('a process whose %s loses a client', (kind) => {
  test.each(['idle', 'held'])('that is %s, with no listener for its error', async (held) => {
    const { host, port, user, password, database } = server();
    const env = { PG: JSON.stringify({ host, port, user, password, database }) };
    const { code, lines, stderr } = await runScript(LOST_CLIENT, [kind, held], { env }).result;
    expect({ code, lines }).toEqual(
      kind === 'pg.Pool' ? { code: 1, lines: [] } : { code: 0, lines: ['lives'] },
    );
    if (kind === 'pg.Pool') expect(stderr).toMatch(/Unhandled 'error' event[^]*code: '57P01'/);
  });
});
