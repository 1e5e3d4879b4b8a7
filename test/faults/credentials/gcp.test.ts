import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startGcpMetadata, type HttpFault, type LoginVerifier } from '../../../local-rds/index.js';
import { newAuthToken } from '../../../src/index.js';
import { useGcp } from '../../support/clouds.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { causes } from '../../support/errors.js';
import { useLocalRds } from '../../support/servers.js';
import { meterSdk } from '../../support/telemetry.js';
import { rejection } from '../../support/until.js';

const CONNECTIONS = 500;
const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token';
const TOKEN_CALL = `GET ${TOKEN}`;
const ONE = [{ one: 1 }];
/** A generous bound for giving up when no answer arrives, in milliseconds: well before the connect timeout. */
const LONGEST_MS = 12_000;

const rds = useLocalRds({ postgres: { settings: { max_connections: String(CONNECTIONS + 20) } } });
const { server, makePool } = useGcp(rds);
const place = useCleanEnvironment(() => ({ GCE_METADATA_HOST: server().host }));

const tokenCalls = (): number => server().calls()[TOKEN_CALL] ?? 0;

// Runs first, because the library remembers for the whole process that there was no metadata server.
test('a metadata server that is down at first is found once it is up', async () => {
  const dead = await startGcpMetadata();
  const { host } = dead;
  await dead.stop();
  setEnv({ GCE_METADATA_HOST: host });
  const pool = await makePool();
  const error = await rejection(pool.query('select 1'));
  expect(error.message).toContain('no credentials file, and no answer from the metadata server');
  setEnv({ GCE_METADATA_HOST: server().host });
  expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
});

describe('gcpCloudSqlIam', () => {
  test('logs in as the database user of the service account, with an access token that it reuses', async () => {
    const { meterProvider, value } = meterSdk();
    const before = tokenCalls();
    const pool = await makePool({}, { meterProvider });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release(true);
    const { rows } = await pool.query('select current_user as who');
    expect(rows).toEqual([{ who: 'app@local-project.iam' }]);
    expect(tokenCalls() - before).toBe(1);
    expect(await value('pgauge.auth.credentials.fetch.duration')).toMatchObject({ count: 1 });
    expect(await value('pgauge.auth.credentials.expiration')).toBeGreaterThan(Date.now() / 1_000 + 3_000);
  });

  test('500 connections opened at once with no token yet fetch a single token', async () => {
    const { meterProvider, value } = meterSdk();
    const before = tokenCalls();
    const patience = { connectTimeoutMs: 100_000, acquireTimeoutMs: 100_000 };
    const pool = await makePool({ maxOpenConns: CONNECTIONS }, { ...patience, meterProvider });
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()));
    expect(pool.stat()).toMatchObject({ acquiredConns: CONNECTIONS });
    for (const client of clients) client.release();
    expect(tokenCalls() - before).toBe(1);
    expect(await value('pgauge.auth.credentials.fetch.duration')).toMatchObject({ count: 1 });
    expect(await value('pgauge.auth.token.refresh.duration')).toMatchObject({ count: CONNECTIONS });
  }, 240_000);

  test('requests the AlloyDB scope when the product is alloydb', async () => {
    const verifier = server().verifier('alloydb');
    const judge: LoginVerifier['judge'] = (token, _, now) => verifier.judge(token, server().user, now);
    await rds().createUser('alloy', { verifier: { ...verifier, judge } });
    const pool = await makePool({
      user: 'alloy',
      dynamicAuth: { gcpCloudSqlIam: { product: 'alloydb' } },
    });
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
    const wrong = await makePool({ user: 'alloy' });
    expect(await rejection(wrong.query('select 1'))).toMatchObject({ code: '28000' });
  });

  test('a revoked token is rejected once and replaced', async () => {
    const pool = await makePool();
    const client = await pool.connect();
    server().rotate();
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' });
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
    client.release();
  });

  test("the hint for a login with the account's full email address names the shorter database user", async () => {
    const { email } = server();
    await rds().createUser(email, { verifier: server().verifier() });
    const pool = await makePool({ user: email });
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' });
    const { hint } = pool.log.named('postgres connect failed')[0]?.fields as { hint: string };
    expect(hint).toContain('the database user of a service account is app@local-project.iam;');
    expect(hint).toContain('roles/cloudsql.instanceUser');
  });

  test('a token of another account is rejected with a hint, and an expired one is refused', async () => {
    server().lieAbout('other@local-project.iam.gserviceaccount.com');
    const pool = await makePool();
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' });
    expect(rds().gate.stats().lastRejectReason).toBe('the token is of another identity');
    expect(pool.log.named('postgres connect failed')[0]?.fields).toMatchObject({
      hint: expect.stringContaining('cloudsql.iam_authentication') as string,
    });
    server().lieAbout();
    server().setTokenLifetime(-1_000);
    const cold = await makePool();
    expect((await rejection(cold.query('select 1'))).message).toMatch('the token expired at');
    server().setTokenLifetime(3_600_000);
    expect((await cold.query('select 1 as one')).rows).toEqual(ONE);
  });
});

describe('rejects, names the metadata server and dials no connection when that server', () => {
  async function refused(query: Promise<unknown>): Promise<void> {
    const { connections } = rds().gate.stats();
    const startedAt = performance.now();
    const error = await rejection(query);
    expect(performance.now() - startedAt).toBeLessThan(LONGEST_MS);
    expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_PGAUGE_AUTH' });
    expect(error.message).toMatch(
      /^dynamic auth \(gcpCloudSqlIam\): failed to (load GCP default credentials|acquire GCP access token): .*metadata server/,
    );
    expect(causes(error).map(describeAll).join()).not.toContain('canary');
    expect(rds().gate.stats().connections).toBe(connections);
  }

  test.each<[string, HttpFault]>([
    ['answers 404', { path: TOKEN, status: 404 }],
    ['answers 500', { path: TOKEN, status: 500, body: 'canary' }],
    ['sends an empty answer', { path: TOKEN, body: '' }],
    ['answers HTML', { path: TOKEN, body: '<html>canary: please log in</html>' }],
    ['answers half a token', { path: TOKEN, body: '{"access_token":"ya29.canary' }],
    ['answers without a token', { path: TOKEN, body: '{"expires_in":3599,"x":"canary"}' }],
    ['answers with a token that is not a string', { path: TOKEN, body: '{"access_token":{"canary":1}}' }],
    ['resets connections', { path: TOKEN, reset: true }],
    ['hangs', { hang: true }],
    ['hangs on the request for a token', { path: TOKEN, hang: true }],
  ])('%s, and works once the server does', async (_how, fault) => {
    const pool = await makePool();
    server().set(fault);
    await refused(pool.query('select 1'));
    expect(pool.totalCount).toBe(0);
    server().set({});
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });
});

test('a key file that cannot be parsed is named in the error but not quoted', async () => {
  const file = join(place.home, 'key.json');
  writeFileSync(file, '{"type":"service_account","private_key":"canary');
  setEnv({ GOOGLE_APPLICATION_CREDENTIALS: file });
  const config = {
    host: 'localhost',
    port: 1,
    user: 'app',
    database: 'app',
    dynamicAuth: { gcpCloudSqlIam: {} },
  };
  const error = await rejection(newAuthToken(config, 'app'));
  expect(error.message).toMatch(
    /^dynamic auth \(gcpCloudSqlIam\): failed to load GCP default credentials: ./,
  );
  expect(causes(error).map(describeAll).join()).not.toContain('canary');
});

function describeAll(error: unknown): string {
  const { message, stack } = error as Error;
  return JSON.stringify([message, stack, Object.entries(error as object)]);
}
