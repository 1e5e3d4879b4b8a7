import { describe, expect, test } from 'vitest';
import type { InstrumentedPool, IssuedLogin, PoolOptions } from '../../src/index.js';
import { createRotatingRole } from '../support/auth/role.js';
import { useCleanEnvironment } from '../support/environment.js';
import { useIamPools } from '../support/iam.js';
import type { RecordingLogger } from '../support/logger.js';
import { backendPid } from '../support/pools.js';
import { useLocalRds } from '../support/servers.js';
import { until } from '../support/until.js';

const rds = useLocalRds();
useCleanEnvironment();
const makePool = useIamPools(rds);

const LIFE_MS = 2_000;
const HOUR_MS = 3_600_000;

/** A pool whose passwords last for {@link LIFE_MS}; the server accepts only the one that was issued last. */
async function setUp(
  where: 'the pool' | 'the source',
  { minConns = 0, lifeMs = () => LIFE_MS }: { minConns?: number; lifeMs?: () => number } = {},
  options: PoolOptions = {},
) {
  const role = await createRotatingRole(rds());
  let issued = 0;
  const issue = async (): Promise<IssuedLogin> => {
    issued += 1;
    if (issued > 1) await role.rotate();
    return { password: role.password, expiresAt: new Date(Date.now() + lifeMs()) };
  };
  const custom = { name: 'lease', issue, ...(where === 'the source' && { retireAtExpiry: true }) };
  const pool = await makePool(
    { user: role.user, dynamicAuth: { custom }, minConns },
    { ...options, ...(where === 'the pool' && { retireAtExpiry: true }) },
  );
  return { pool, issued: () => issued };
}

const retired = (pool: InstrumentedPool & { readonly log: RecordingLogger }): unknown[] =>
  pool.log.closeReasons;

describe.each(['the pool', 'the source'] as const)('with retireAtExpiry of %s', (where) => {
  test('an idle connection is closed before its password expires, and counts as lifetime', async () => {
    const { pool, issued } = await setUp(where);
    const before = Date.now();
    await pool.query('select 1');
    await until('the connection is closed', () => retired(pool).length === 1);
    // At most a tenth of its life earlier, never before that.
    expect(Date.now() - before).toBeGreaterThanOrEqual(LIFE_MS * 0.9 - 50);
    expect(retired(pool)).toEqual(['lifetime']);
    expect(pool.totalCount).toBe(0);
    expect(issued()).toBe(1);
    await pool.query('select 1');
    expect(issued()).toBe(2);
  });

  test('a connection in use keeps working, and is closed when it is released', async () => {
    let lifeMs = LIFE_MS;
    const { pool } = await setUp(where, { lifeMs: () => lifeMs });
    const client = await pool.connect();
    const pid = await backendPid(client);
    lifeMs = HOUR_MS;
    const ended = Date.now() + LIFE_MS;
    await until('its password has ended', () => Date.now() > ended + 200);
    expect(await backendPid(client)).toBe(pid);
    expect(retired(pool)).toEqual([]);
    client.release();
    await until('the connection is closed', () => retired(pool).length === 1);
    expect(retired(pool)).toEqual(['lifetime']);
    const next = await pool.connect();
    expect(await backendPid(next)).not.toBe(pid);
    next.release();
    expect(pool.totalCount).toBe(1);
  });

  test('minConns is refilled with the new password', async () => {
    let lifeMs = LIFE_MS;
    const { pool, issued } = await setUp(
      where,
      { minConns: 2, lifeMs: () => lifeMs },
      { healthCheckPeriodMs: 100 },
    );
    await until('the minimum is there', () => pool.idleCount === 2);
    expect(issued()).toBe(1);
    lifeMs = HOUR_MS;
    await until('both are closed', () => retired(pool).length >= 2);
    await until('the minimum is back', () => pool.idleCount === 2 && issued() === 2);
    expect(new Set(retired(pool))).toEqual(new Set(['lifetime']));
    expect(pool.log.named('postgres connect failed')).toEqual([]);
  });
});

test('without retireAtExpiry a connection outlives its password', async () => {
  let lifeMs = LIFE_MS;
  const role = await createRotatingRole(rds());
  const issue = (): IssuedLogin => ({ password: role.password, expiresAt: new Date(Date.now() + lifeMs) });
  const pool = await makePool({ user: role.user, dynamicAuth: { custom: { name: 'lease', issue } } });
  const pid = await backendPid(pool);
  lifeMs = HOUR_MS;
  const ended = Date.now() + LIFE_MS;
  await until('its password has ended', () => Date.now() > ended + 200);
  expect(await backendPid(pool)).toBe(pid);
  expect(pool.log.closeReasons).toEqual([]);
});
