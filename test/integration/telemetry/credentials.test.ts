import { afterEach, expect, test } from 'vitest';
import { startImds } from '../../../local-rds/index.js';
import { setEnv, useCleanEnvironment, useImds } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection } from '../../support/until.js';
import { cleanUp, meterSdk } from '../../support/telemetry.js';

const rds = useLocalRds();
useCleanEnvironment();
const makePool = useIamPools(rds);
afterEach(cleanUp);

const FETCH = 'pgauge.auth.credentials.fetch.duration';
const EXPIRATION = 'pgauge.auth.credentials.expiration';
const HOUR_MS = 3_600_000;

test('credentials fetched once count as one fetch on each meter, with their expiration', async () => {
  const imds = await startImds({
    credentials: () => rds().credentials.issueTemporary({ lifetimeMs: HOUR_MS }),
  });
  try {
    useImds(imds.endpoint);
    const [one, two] = [meterSdk(), meterSdk()];
    const pools = [];
    for (const { meterProvider } of [one, one, two]) pools.push(await makePool({}, { meterProvider }));
    expect(await one.points(EXPIRATION)).toEqual([]);
    const before = Date.now();
    await Promise.all(pools.map((pool) => pool.query('select 1')));
    for (const { points } of [one, two]) {
      expect(await points(FETCH)).toMatchObject([
        { attributes: { 'pgauge.auth.provider.name': 'awsRdsIam' }, value: { count: 1 } },
      ]);
      const [expiration, ...others] = await points(EXPIRATION);
      expect(others).toEqual([]);
      // IMDS returns whole seconds.
      expect(expiration?.value).toBeGreaterThanOrEqual(Math.floor((before + HOUR_MS) / 1_000));
      expect(expiration?.value).toBeLessThanOrEqual((Date.now() + HOUR_MS) / 1_000);
    }
    // A new connection reuses the credentials.
    await Promise.all([pools[0]?.query('select pg_sleep(0.1)'), pools[0]?.query('select pg_sleep(0.1)')]);
    expect(await one.value(FETCH)).toMatchObject({ count: 1 });
  } finally {
    await imds.stop();
  }
});

test('credentials that do not expire have no expiration series', async () => {
  setEnv(rds().awsEnv);
  const { meterProvider, points, value } = meterSdk();
  const pool = await makePool({}, { meterProvider });
  await pool.query('select 1');
  expect(await value(FETCH)).toMatchObject({ count: 1 });
  expect(await points(EXPIRATION)).toEqual([]);
});

test('credentials that cannot be fetched count as a failed fetch, with its error type', async () => {
  const { meterProvider, points } = meterSdk();
  const pool = await makePool({}, { meterProvider });
  await rejection(pool.query('select 1'));
  const fetches = await points(FETCH);
  expect(fetches).toHaveLength(1);
  expect(fetches[0]?.attributes).toEqual({
    'pgauge.auth.provider.name': 'awsRdsIam',
    'error.type': expect.stringMatching(/^\w+$/) as string,
  });
});
