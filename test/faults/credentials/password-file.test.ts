import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { SecretVolume } from '../../support/auth/password-file-case.js';
import { createRotatingRole } from '../../support/auth/role.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { useLocalRds } from '../../support/servers.js';
import { meterSdk } from '../../support/telemetry.js';
import { rejection, until } from '../../support/until.js';

const rds = useLocalRds();
const place = useCleanEnvironment();
const makePool = useIamPools(rds);

/** A pool whose password comes from a volume, and the role with that password. */
async function setUp() {
  const role = await createRotatingRole(rds());
  const volume = new SecretVolume(place.home);
  await volume.write({ password: role.password });
  const { meterProvider, value } = meterSdk();
  const pool = await makePool(
    { user: role.user, dynamicAuth: { passwordFile: { path: volume.path('password') } } },
    { maxUses: 1, meterProvider },
  );
  const reads = async () =>
    ((await value('pgauge.auth.token.refresh.duration')) as { readonly count: number }).count;
  return { role, volume, pool, reads };
}

test('a password that is rotated on the server before the file changes is rejected once and not tried again', async () => {
  const { role, volume, pool, reads } = await setUp();
  await pool.query('select 1');
  await role.rotate();
  const { connections } = rds().gate.stats();
  expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28P01' });
  expect(rds().gate.stats().connections - connections).toBe(1);
  // The file was read again after the rejection, and its content was the same.
  expect(await reads()).toBe(3);
  await volume.write({ password: role.password });
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('when a password file changes while its old password is being rejected, the same attempt tries the new password', async () => {
  const { role, volume, pool, reads } = await setUp();
  await pool.query('select 1');
  await role.rotate();
  const { connections } = rds().gate.stats();
  rds().gate.set({ delayMs: 1_000 });
  try {
    const query = pool.query('select 1 as one');
    await until('the old password is under way', () => rds().gate.stats().connections > connections);
    await volume.write({ password: role.password });
    rds().gate.set({ delayMs: 0 });
    expect((await query).rows).toEqual([{ one: 1 }]);
  } finally {
    rds().gate.set({ delayMs: 0 });
  }
  expect(rds().gate.stats().connections - connections).toBe(2);
  expect(await reads()).toBe(3);
  expect(pool.log.named('postgres connect failed')).toEqual([]);
});

test('when a password file disappears while its password is being rejected, the error is the rejection', async () => {
  const { role, volume, pool } = await setUp();
  await role.rotate();
  const { connections } = rds().gate.stats();
  rds().gate.set({ delayMs: 1_000 });
  try {
    const failed = rejection(pool.query('select 1'));
    await until('the old password is under way', () => rds().gate.stats().connections > connections);
    await rm(volume.path('..data'));
    expect(await failed).toMatchObject({ code: '28P01' });
  } finally {
    rds().gate.set({ delayMs: 0 });
  }
  expect(pool.totalCount).toBe(0);
  expect(pool.log.closeReasons).toEqual(['auth']);
});
