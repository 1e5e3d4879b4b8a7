import { GoogleAuth } from 'google-auth-library';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LOGIN_SCOPES, startGcpMetadata, type GcpMetadata } from '../gcp-metadata.js';

const ACCOUNT = '/computeMetadata/v1/instance/service-accounts/default/';
const FLAVOR = { 'metadata-flavor': 'Google' };

describe('the metadata server of Google Cloud', () => {
  let server: GcpMetadata;

  beforeEach(async () => {
    server = await startGcpMetadata({ email: 'svc@p-1.iam.gserviceaccount.com', projectId: 'p-1' });
    vi.stubEnv('GCE_METADATA_HOST', server.host);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.stop();
  });

  async function get(path: string, headers: Record<string, string> = FLAVOR): Promise<Response> {
    return fetch(server.endpoint + path, { headers, redirect: 'manual' });
  }

  async function token(scopes = LOGIN_SCOPES.cloudsql): Promise<string> {
    const answer = await get(`${ACCOUNT}token?scopes=${scopes}`);
    return ((await answer.json()) as { access_token: string }).access_token;
  }

  it('issues an access token and the account name to Google’s library', async () => {
    const auth = new GoogleAuth({ scopes: LOGIN_SCOPES.cloudsql });
    const client = await auth.getClient();
    expect(await client.getAccessToken()).toMatchObject({ token: await token() });
    expect(client.credentials.expiry_date).toBeGreaterThan(Date.now() + 3_500_000);
    expect(await auth.getCredentials()).toMatchObject({ client_email: server.email });
    expect(await auth.getProjectId()).toBe('p-1');
  });

  it('issues tokens that its verifier accepts for the account’s database user only', async () => {
    const verifier = server.verifier();
    const value = await token();
    expect(server.user).toBe('svc@p-1.iam');
    expect(verifier.judge(value, server.user, new Date())).toBeUndefined();
    expect(verifier.judge(value, server.email, new Date())).toBe('the token is of another identity');
    expect(server.verifier('alloydb').judge(value, server.user, new Date())).toMatch('for something else');
    expect(verifier.refusal('x', '')).toMatchObject({ code: '28000' });
  });

  it('issues the same token until it is about to expire', async () => {
    const first = await token();
    expect(await token()).toBe(first);
    server.setTokenLifetime(240_000);
    const second = await token();
    expect(second).not.toBe(first);
    expect(await token()).not.toBe(second);
  });

  it('can issue expired tokens and tokens of another account, and revoke tokens', async () => {
    const verifier = server.verifier();
    server.setTokenLifetime(-1_000);
    expect(verifier.judge(await token(), server.user, new Date())).toBe('the token has expired');
    server.setTokenLifetime(3_600_000);
    server.lieAbout('other@p-1.iam.gserviceaccount.com');
    expect(verifier.judge(await token(), 'other@p-1.iam', new Date())).toBeUndefined();
    server.lieAbout();
    const value = await token();
    server.rotate();
    expect(verifier.judge(value, server.user, new Date())).toBe('not a token of this issuer');
  });

  it.each<[string, Record<string, string>, number]>([
    ['without the header Metadata-Flavor', {}, 403],
    ['with another flavor', { 'metadata-flavor': 'google' }, 403],
    ['that was forwarded', { ...FLAVOR, 'x-forwarded-for': '10.0.0.1' }, 403],
  ])('refuses a request %s', async (_, headers, status) => {
    expect((await get(`${ACCOUNT}token`, headers)).status).toBe(status);
  });

  it('refuses other methods, unknown paths and unknown scopes', async () => {
    const posted = await fetch(`${server.endpoint}${ACCOUNT}token`, { method: 'POST', headers: FLAVOR });
    expect(posted.status).toBe(405);
    for (const path of ['/', '/computeMetadata/v1beta1/', '/computeMetadata/v1/instance/nothing']) {
      expect((await get(path)).status).toBe(404);
    }
    expect((await get(`${ACCOUNT}token?scopes=https://www.googleapis.com/auth/drive`)).status).toBe(403);
  });

  it('has its Metadata-Flavor header in every answer, redirects and refusals included', async () => {
    const answers = await Promise.all([
      get('/computeMetadata/v1/instance'),
      get(`${ACCOUNT}email`),
      get('/', {}),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([301, 200, 403]);
    expect(answers.map(({ headers }) => headers.get('metadata-flavor'))).toEqual(Array(3).fill('Google'));
  });
});
