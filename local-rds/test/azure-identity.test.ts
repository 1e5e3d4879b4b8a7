import { DefaultAzureCredential } from '@azure/identity';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { POSTGRES_RESOURCE, startAzureIdentity, type AzureManagedIdentity } from '../azure-identity.js';

const APP_SERVICE = `/msi/token?api-version=2019-08-01&resource=${POSTGRES_RESOURCE}`;
const IMDS = `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${POSTGRES_RESOURCE}`;

describe('the managed identity endpoints of Azure', () => {
  let server: AzureManagedIdentity;

  beforeEach(async () => {
    server = await startAzureIdentity({ systemAssigned: 'my-site', userAssigned: ['my-identity'] });
  });

  afterEach(() => server.stop());

  function get(path: string, headers: Record<string, string> = secret()): Promise<Response> {
    return fetch(server.endpoint + path, { headers });
  }

  function secret(): Record<string, string> {
    return { 'x-identity-header': server.env.IDENTITY_HEADER };
  }

  async function token(path = APP_SERVICE, headers = secret()): Promise<string> {
    return ((await (await get(path, headers)).json()) as { access_token: string }).access_token;
  }

  it('issue tokens of a user-assigned identity to Azure’s library', async () => {
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const managedIdentityClientId = server.userAssigned[0]?.clientId ?? '';
    const credential = new DefaultAzureCredential({ managedIdentityClientId });
    const answer = await credential.getToken(`${POSTGRES_RESOURCE}/.default`);
    expect(server.verifier().judge(answer.token, 'my-identity', new Date())).toBeUndefined();
    expect(answer.expiresOnTimestamp).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    // The library caches it.
    expect((await credential.getToken(`${POSTGRES_RESOURCE}/.default`)).token).toBe(answer.token);
    expect(server.calls()).toEqual({ 'GET /msi/token': 1 });
  });

  it('issue tokens with identity and expiration', async () => {
    const value = await token();
    const claims = JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).toMatchObject({ aud: POSTGRES_RESOURCE, appid: server.systemAssigned?.clientId });
    const verifier = server.verifier();
    expect(verifier.judge(value, 'my-site', new Date())).toBeUndefined();
    expect(verifier.judge(value, 'my-identity', new Date())).toBe('the token is of another identity');
    const refusal = server.verifier('https://other').refusal('x', 'the token is for something else');
    expect(refusal.message).toContain('does not have a valid audience claim');
  });

  it('issue the same token on the path for virtual machines', async () => {
    expect(await token(IMDS, { metadata: 'true' })).toBe(await token());
  });

  it('issue the same token until it is about to expire, and can revoke it', async () => {
    const first = await token();
    expect(await token()).toBe(first);
    server.setTokenLifetime(240_000);
    const second = await token();
    expect(await token()).not.toBe(second);
    server.rotate();
    expect(server.verifier().judge(first, 'my-site', new Date())).toBe('not a token of this issuer');
  });

  it('can issue tokens that have expired or are of another principal', async () => {
    server.setTokenLifetime(-1_000);
    const verifier = server.verifier();
    expect(verifier.judge(await token(), 'my-site', new Date())).toBe('the token has expired');
    server.setTokenLifetime(3_600_000);
    server.lieAbout('somebody');
    expect(verifier.judge(await token(), 'somebody', new Date())).toBeUndefined();
  });

  it.each<[string, string, () => Record<string, string>, number]>([
    ['without its secret', APP_SERVICE, () => ({}), 401],
    ['with another secret', APP_SERVICE, () => ({ 'x-identity-header': 'x' }), 401],
    ['with another version', APP_SERVICE.replace('2019', '2017'), () => secret(), 400],
    ['without a resource', '/msi/token?api-version=2019-08-01', () => secret(), 400],
    ['for an unknown identity', `${APP_SERVICE}&client_id=x`, () => secret(), 400],
    ['without the header Metadata', IMDS, () => ({}), 400],
    ['that was forwarded', IMDS, () => ({ metadata: 'true', 'x-forwarded-for': '10.0.0.1' }), 400],
    ['for another path', '/msi', () => secret(), 404],
  ])('refuse a request %s', async (_, path, headers, status) => {
    expect((await get(path, headers())).status).toBe(status);
  });

  it('refuse other methods', async () => {
    const posted = await fetch(server.endpoint + APP_SERVICE, { method: 'POST', headers: secret() });
    expect(posted.status).toBe(405);
  });

  it('issue nothing without an identity', async () => {
    await using none = await startAzureIdentity({ systemAssigned: null });
    const headers = { 'x-identity-header': none.env.IDENTITY_HEADER };
    expect((await fetch(none.endpoint + APP_SERVICE, { headers })).status).toBe(400);
  });
});
