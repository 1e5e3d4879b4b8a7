import { describe, expect, test } from 'vitest';
import { startImds } from '../../../local-rds/index.js';
import { BACKEND_CASES } from '../../support/auth/cases.js';
import { setEnv, useCleanEnvironment, useImds } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { useLocalRds } from '../../support/servers.js';
import { meterSdk } from '../../support/telemetry.js';

const CONNECTIONS = 500;
const rds = useLocalRds({ postgres: { settings: { max_connections: String(CONNECTIONS + 20) } } });
const place = useCleanEnvironment();
const makePool = useIamPools(rds);

/** In milliseconds: 500 simultaneous logins take a while on a small machine. */
const PATIENCE = { connectTimeoutMs: 100_000, acquireTimeoutMs: 100_000 };

test('500 connections opened at once with no credentials yet fetch them once, and each gets its own token', async () => {
  await using imds = await startImds({
    credentials: (lifetimeMs) => rds().credentials.issueTemporary({ lifetimeMs }),
  });
  setEnv({ AWS_REGION: rds().region });
  useImds(imds.endpoint);
  const { meterProvider, value } = meterSdk();
  const pool = await makePool({ maxOpenConns: CONNECTIONS }, { ...PATIENCE, meterProvider });
  const before = rds().gate.stats();
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()));
  expect(pool.stat()).toMatchObject({ acquiredConns: CONNECTIONS, newConnsCount: CONNECTIONS });
  const { rows } = await rds().postgres.query<{ n: number }>(
    'select count(*)::int as n from pg_stat_activity where usename = $1',
    [rds().user],
  );
  expect(rows).toEqual([{ n: CONNECTIONS }]);
  for (const client of clients) client.release();

  const { tokensAccepted, tokensRejected } = rds().gate.stats();
  expect(tokensAccepted - before.tokensAccepted).toBe(CONNECTIONS);
  expect(tokensRejected).toBe(before.tokensRejected);
  expect(await value('pgauge.auth.credentials.fetch.duration')).toMatchObject({ count: 1 });
  expect(await value('pgauge.auth.token.refresh.duration')).toMatchObject({ count: CONNECTIONS });
  expect(imds.calls()).toEqual({
    'PUT /latest/api/token': 1,
    'GET /latest/meta-data/iam/security-credentials/': 1,
    'GET /latest/meta-data/iam/security-credentials/local-rds': 1,
  });
}, 240_000);

describe.each(
  BACKEND_CASES.filter(({ fetches, backend }) => fetches && backend !== 'awsRdsIam').map(
    (row) => [row.backend, row] as const,
  ),
)('%s', (_backend, { start, fetchesPerLogin = 1 }) => {
  test('500 connections opened at once with no credentials yet cost one fetch', async () => {
    await using source = await start(rds(), place.home);
    const { user, dynamicAuth } = source;
    const { meterProvider, value } = meterSdk();
    const pool = await makePool(
      { user, dynamicAuth, maxOpenConns: CONNECTIONS },
      { ...PATIENCE, meterProvider },
    );
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()));
    expect(pool.stat()).toMatchObject({ acquiredConns: CONNECTIONS, newConnsCount: CONNECTIONS });
    for (const client of clients) client.release();
    expect(source.fetches()).toBe(1);
    expect(await value('pgauge.auth.credentials.fetch.duration')).toMatchObject({ count: fetchesPerLogin });
    expect(await value('pgauge.auth.token.refresh.duration')).toMatchObject({ count: CONNECTIONS });
    await pool.end();
  }, 240_000);
});
