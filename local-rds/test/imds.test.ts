import { fromInstanceMetadata } from '@aws-sdk/credential-providers';
import { MetadataService } from '@aws-sdk/ec2-metadata-service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CredentialStore } from '../credentials.js';
import { startImds, type Imds } from '../imds.js';

const TTL = 'x-aws-ec2-metadata-token-ttl-seconds';
const REGION = '/latest/meta-data/placement/region';
const ROLES = '/latest/meta-data/iam/security-credentials/';

describe('the metadata service of AWS', () => {
  const store = new CredentialStore();
  let imds: Imds;

  beforeEach(async () => {
    imds = await startImds({
      region: 'us-gov-west-1',
      role: 'app-role',
      credentials: (lifetimeMs) => store.issueTemporary({ lifetimeMs }),
    });
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await imds.stop();
  });

  function request(path: string, init?: RequestInit): Promise<Response> {
    return fetch(imds.endpoint + path, init);
  }

  async function get(path: string): Promise<Response> {
    const answer = await request('/latest/api/token', { method: 'PUT', headers: { [TTL]: '60' } });
    return request(path, { headers: { 'x-aws-ec2-metadata-token': await answer.text() } });
  }

  it('returns the region to the AWS SDK', async () => {
    const client = new MetadataService({ endpoint: imds.endpoint });
    // The client appends the path to the endpoint's own, which is a slash.
    expect(await client.request(REGION.slice(1), {})).toBe('us-gov-west-1');
    expect(imds.calls()).toEqual({ 'PUT /latest/api/token': 1, [`GET ${REGION}`]: 1 });
  });

  it('does not accept a path with two slashes', async () => {
    expect((await get(`/${REGION}`)).status).toBe(404);
  });

  it('issues credentials to the AWS SDK that the store accepts', async () => {
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', imds.endpoint);
    const credentials = await fromInstanceMetadata()();
    expect(store.find(credentials.accessKeyId)).toMatchObject({
      secretAccessKey: credentials.secretAccessKey,
      sessionToken: credentials.sessionToken,
    });
    expect(credentials.expiration?.getTime()).toBeGreaterThan(Date.now() + 5 * 3_600_000);
    expect(imds.calls()).toMatchObject({ [`GET ${ROLES}`]: 1, [`GET ${ROLES}app-role`]: 1 });
  });

  it('describes the instance', async () => {
    const answer = await get('/latest/dynamic/instance-identity/document');
    expect(await answer.json()).toMatchObject({
      region: 'us-gov-west-1',
      availabilityZone: 'us-gov-west-1a',
    });
  });

  it('issues the same credentials until they are about to expire', async () => {
    const key = async () =>
      ((await (await get(`${ROLES}app-role`)).json()) as { AccessKeyId: string }).AccessKeyId;
    const first = await key();
    expect(await key()).toBe(first);
    imds.setCredentialsLifetime(60_000);
    const second = await key();
    expect(second).not.toBe(first);
    expect(await key()).not.toBe(second);
  });

  it('refuses reads without its session token', async () => {
    expect((await request(REGION)).status).toBe(401);
    expect((await request(REGION, { headers: { 'x-aws-ec2-metadata-token': 'x' } })).status).toBe(401);
  });

  it.each<[string, RequestInit, number]>([
    ['without a lifetime', { method: 'PUT' }, 400],
    ['with a lifetime of 0', { method: 'PUT', headers: { [TTL]: '0' } }, 400],
    ['with a lifetime over 6 hours', { method: 'PUT', headers: { [TTL]: '21601' } }, 400],
    ['that was forwarded', { method: 'PUT', headers: { [TTL]: '60', 'x-forwarded-for': '10.0.0.1' } }, 403],
    ['with GET', { headers: { [TTL]: '60' } }, 405],
  ])('refuses a token request %s', async (_, init, status) => {
    expect((await request('/latest/api/token', init)).status).toBe(status);
  });

  it('returns 404 for other paths', async () => {
    expect((await get('/latest/meta-data/nothing')).status).toBe(404);
    expect((await get(`${ROLES}other`)).status).toBe(404);
  });

  it.each(['', '<html>x</html>', 'eu-central-1\r\nx: y'])('can answer %j', async (body) => {
    imds.set({ path: REGION, body });
    expect(await (await get(REGION)).text()).toBe(body);
    imds.set({});
    expect(await (await get(REGION)).text()).toBe('us-gov-west-1');
  });

  it('can fail on one path only', async () => {
    imds.set({ path: '/latest/meta-data/', status: 500 });
    expect((await get(REGION)).status).toBe(500);
    expect((await get('/latest/dynamic/instance-identity/document')).status).toBe(200);
  });

  it('can answer late', async () => {
    imds.set({ path: REGION, delayMs: 300 });
    const before = performance.now();
    await get(REGION);
    expect(performance.now() - before).toBeGreaterThan(250);
  });

  it('can hang, and still be stopped', async () => {
    imds.set({ hang: true });
    const hanging = request(REGION).then(
      () => 'answered',
      () => 'closed',
    );
    const raced = await Promise.race([hanging, new Promise((resolve) => setTimeout(resolve, 300, 'silent'))]);
    expect(raced).toBe('silent');
    await imds.stop();
    expect(await hanging).toBe('closed');
  });
});
