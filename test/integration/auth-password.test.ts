import { expect, test } from 'vitest';
import { setEnv, useCleanEnvironment } from '../support/environment.js';
import { usePools } from '../support/pools.js';
import { useLocalRds } from '../support/servers.js';
import { rejection, until } from '../support/until.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const rds = useLocalRds();
const place = useCleanEnvironment();
const USER = { user: 'static', password: 'pa55 wörd' };
const makePool = usePools(() => ({ ...USER, database: rds().database }));

test('a user with a password logs in beside those with tokens, and gets neither token nor refresh', async () => {
  await rds().createUser(USER.user, { password: USER.password });
  const { tokensAccepted } = rds().gate.stats();
  const pool = await makePool(rds(), { sslMode: 'verify-full' }, { ssl: { ca: rds().caPem } });
  expect((await pool.query('select current_user')).rows).toEqual([{ current_user: 'static' }]);
  expect(rds().gate.stats().tokensAccepted).toBe(tokensAccepted);
});

test('a wrong password surfaces as 28P01 and leaves nothing open', async () => {
  const { connections } = rds().gate.stats();
  const pool = await makePool(rds(), { sslMode: 'require', password: 'canary-wrong' });
  const error = await rejection(pool.query('select 1'));
  expect(error).toMatchObject({ code: '28P01', severity: 'FATAL' });
  expect(pool.totalCount).toBe(0);
  await until('the gate has lost the connection', () => rds().gate.stats().open === 0);
  expect(rds().gate.stats().connections - connections).toBe(1);
  const [failed] = pool.log.named('postgres connect failed');
  expect(failed?.fields).toMatchObject({ error_type: '28P01', phase: 'auth' });
  // The hint for tokens would mislead.
  expect(failed?.fields).not.toHaveProperty('hint');
  expect(JSON.stringify(pool.log.records)).not.toContain('canary');
});

test('a failing provider falls back neither to the password nor to PGPASSFILE', async () => {
  writeFileSync(join(place.home, 'pgpass'), `*:*:*:*:${USER.password}`, { mode: 0o600 });
  setEnv({ PGPASSFILE: join(place.home, 'pgpass'), PGPASSWORD: USER.password });
  const { connections } = rds().gate.stats();
  const pool = await makePool(rds(), {
    sslMode: 'require',
    dynamicAuth: { awsRdsIam: { region: rds().region } },
  });
  expect(await rejection(pool.query('select 1'))).toMatchObject({ code: 'ERR_PGAUGE_AUTH' });
  expect(rds().gate.stats().connections).toBe(connections);
});
