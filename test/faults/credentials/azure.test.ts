import { describe, expect, test } from 'vitest';
import type { HttpFault } from '../../../local-rds/index.js';
import { useAzure } from '../../support/clouds.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { causes } from '../../support/errors.js';
import { useLocalRds } from '../../support/servers.js';
import { meterSdk } from '../../support/telemetry.js';
import { rejection } from '../../support/until.js';

const CONNECTIONS = 500;
const ONE = [{ one: 1 }];
/** A generous bound for giving up when no answer arrives, in milliseconds: well before the connect timeout. */
const LONGEST_MS = 12_000;
/** A lifetime too short for the library's token cache, in milliseconds. */
const NEVER_KEPT_MS = 240_000;

const rds = useLocalRds({ postgres: { settings: { max_connections: String(CONNECTIONS + 20) } } });
// The library keeps using the first endpoint it found for the whole process, so all tests share one.
const { server, makePool } = useAzure(rds, { userAssigned: ['kept', 'cold', 'bystander'] });
useCleanEnvironment(() => ({ ...server().env, AZURE_TOKEN_CREDENTIALS: 'prod' }));

const calls = (): number => server().calls()['GET /msi/token'] ?? 0;

/** A pool that logs in as a user-assigned identity. */
function poolOf(name: string, ...[config, options]: Parameters<typeof makePool>) {
  const clientId = server().userAssigned.find((identity) => identity.name === name)?.clientId;
  return makePool({ user: name, dynamicAuth: { azureAd: { clientId } }, ...config }, options);
}

describe('azureAd', () => {
  test('logs in as the system-assigned identity, with a token that it reuses', async () => {
    const { meterProvider, value } = meterSdk();
    const before = calls();
    const pool = await makePool({}, { meterProvider });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release(true);
    const { rows } = await pool.query('select current_user as who');
    expect(rows).toEqual([{ who: 'local-app' }]);
    expect(calls() - before).toBe(1);
    expect(await value('pgauge.auth.credentials.fetch.duration')).toMatchObject({ count: 1 });
    expect(await value('pgauge.auth.credentials.expiration')).toBeGreaterThan(Date.now() / 1_000 + 80_000);
  });

  test('all pools that log in as one user-assigned identity share one cached token', async () => {
    const before = calls();
    for (let i = 0; i < 3; i += 1) {
      const pool = await poolOf('kept');
      expect((await pool.query('select current_user as who')).rows).toEqual([{ who: 'kept' }]);
    }
    expect(calls() - before).toBe(1);
  });

  test('500 connections opened at once with no token yet fetch a single token', async () => {
    const { meterProvider, value } = meterSdk();
    const before = calls();
    const patience = { connectTimeoutMs: 100_000, acquireTimeoutMs: 100_000 };
    const pool = await poolOf('cold', { maxOpenConns: CONNECTIONS }, { ...patience, meterProvider });
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()));
    expect(pool.stat()).toMatchObject({ acquiredConns: CONNECTIONS });
    for (const client of clients) client.release();
    expect(calls() - before).toBe(1);
    expect(await value('pgauge.auth.credentials.fetch.duration')).toMatchObject({ count: 1 });
    expect(await value('pgauge.auth.token.refresh.duration')).toMatchObject({ count: CONNECTIONS });
  }, 240_000);

  test('a token for another scope is rejected, and the hint says what to check', async () => {
    const pool = await makePool({ dynamicAuth: { azureAd: { scope: 'https://vault.azure.net/.default' } } });
    const error = await rejection(pool.query('select 1'));
    expect(error).toMatchObject({ code: '28000' });
    expect(error.message).toContain('does not have a valid audience claim');
    expect(pool.log.named('postgres connect failed')[0]?.fields).toMatchObject({
      hint: expect.stringContaining('pgaadauth_list_principals') as string,
    });
  });

  test('the hint for a user that is a client ID says to use a name', async () => {
    const { clientId } = server().userAssigned[0] ?? { clientId: '' };
    await rds().createUser(clientId, { verifier: server().verifier() });
    const pool = await makePool({ user: clientId });
    await rejection(pool.query('select 1'));
    const { hint } = pool.log.named('postgres connect failed')[0]?.fields as { hint: string };
    expect(hint).toContain('the user looks like an id');
  });
});

describe("with tokens too short-lived for the library's cache", () => {
  test('a revoked token is rejected once and replaced', async () => {
    server().setTokenLifetime(NEVER_KEPT_MS);
    const pool = await poolOf('bystander');
    const client = await pool.connect();
    server().rotate();
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' });
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
    client.release();
  });

  test('an expired token is refused, one of another principal is rejected, and a valid one works again', async () => {
    server().setTokenLifetime(-1_000);
    const pool = await poolOf('bystander');
    expect((await rejection(pool.query('select 1'))).message).toMatch('the token expired at');
    server().setTokenLifetime(NEVER_KEPT_MS);
    server().lieAbout('somebody');
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' });
    expect(rds().gate.stats().lastRejectReason).toBe('the token is of another identity');
    server().lieAbout(undefined);
    const next = await poolOf('bystander');
    expect((await next.query('select 1 as one')).rows).toEqual(ONE);
  });
});

describe('rejects, names the endpoint and dials no connection when the managed identity endpoint', () => {
  test.each<[string, HttpFault]>([
    ['answers 404', { status: 404, body: '' }],
    ['answers 400', { status: 400, body: '{"statusCode":400,"message":"No such identity."}' }],
    ['answers 500', { status: 500, body: 'canary' }],
    ['sends an empty answer', { body: '' }],
    ['answers HTML', { body: '<html>canary: please log in</html>' }],
    ['answers half a token', { body: '{"access_token":"eyJ0canary' }],
    ['answers without a token', { body: '{"expires_on":"1999999999","x":"canary"}' }],
    ['answers with an empty token', { body: '{"access_token":"","expires_on":"1999999999"}' }],
    ['resets connections', { reset: true }],
    ['hangs', { hang: true }],
  ])('%s, and works once the endpoint does', async (_how, fault) => {
    server().setTokenLifetime(NEVER_KEPT_MS);
    const pool = await poolOf('bystander');
    server().set(fault);
    const { connections } = rds().gate.stats();
    const startedAt = performance.now();
    const error = await rejection(pool.query('select 1'));
    expect(performance.now() - startedAt).toBeLessThan(LONGEST_MS);
    expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_PGAUGE_AUTH' });
    expect(error.message).toMatch(
      /^dynamic auth \(azureAd\): failed to acquire Entra ID token: managed identity endpoint \(IDENTITY_ENDPOINT\): ./,
    );
    const said = JSON.stringify(
      causes(error).map((one) => [(one as Error).stack, Object.entries(one as object)]),
    );
    expect(said).not.toContain('canary');
    expect(said).not.toContain(server().env.IDENTITY_HEADER);
    expect(rds().gate.stats().connections).toBe(connections);
    expect(pool.totalCount).toBe(0);
    server().set({});
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });
});
