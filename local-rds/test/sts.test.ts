import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { Signer } from '@aws-sdk/rds-signer';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setEnv, useCleanEnvironment } from '../../test/support/environment.js';
import { useLocalRds } from '../../test/support/servers.js';
import { CredentialStore, type AccessKey } from '../credentials.js';
import { startSts, type Sts } from '../sts.js';

const ROLE = 'arn:aws:iam::123456789012:role/app';
const GUARDED = { arn: 'arn:aws:iam::123456789012:role/guarded', externalId: 'shared+with/nobody' };

const rds = useLocalRds();
useCleanEnvironment();

let sts: Sts;
beforeEach(async () => {
  sts = await startSts({
    credentials: rds().credentials,
    region: rds().region,
    roles: [{ arn: ROLE }, GUARDED],
  });
  setEnv(sts.env);
});
afterEach(() => sts.stop());

interface Asked {
  readonly RoleArn?: string;
  readonly RoleSessionName?: string;
  readonly ExternalId?: string;
  readonly DurationSeconds?: number;
}

/** The credentials that the AWS SDK gets for a role. */
function assume(
  params: Asked = {},
  masterCredentials: AccessKey = rds().credentials.current,
  region = rds().region,
) {
  return fromTemporaryCredentials({
    masterCredentials,
    clientConfig: { region, maxAttempts: 1 },
    params: { RoleArn: ROLE, RoleSessionName: 'a-session', ...params },
  })();
}

describe('STS', () => {
  it('issues keys to the AWS SDK whose tokens the gate accepts', async () => {
    const { host, port, user, database, region, caPem } = rds();
    const credentials = await assume();
    expect(credentials.expiration?.getTime()).toBeGreaterThan(Date.now() + 50 * 60_000);
    expect(sts.assumed).toMatchObject([
      { roleArn: ROLE, sessionName: 'a-session', key: { accessKeyId: credentials.accessKeyId } },
    ]);
    const token = await new Signer({
      hostname: host,
      port,
      username: user,
      region,
      credentials,
    }).getAuthToken();
    const client = new pg.Client({ host, port, user, database, password: token, ssl: { ca: caPem } });
    await client.connect();
    await client.end();
  });

  it('lets a session assume another role', async () => {
    await assume({}, rds().credentials.issueTemporary());
    expect(sts.calls()).toEqual({ 'POST /': 1 });
  });

  it('requires the external ID of a role that has one', async () => {
    await expect(assume({ RoleArn: GUARDED.arn })).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(assume({ RoleArn: GUARDED.arn, ExternalId: 'another' })).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    const assumed = await assume({ RoleArn: GUARDED.arn, ExternalId: GUARDED.externalId });
    expect(assumed.accessKeyId).toMatch(/^ASIA/);
  });

  it('issues sessions of the requested or configured length', async () => {
    const { expiration } = await assume({ DurationSeconds: 900 });
    expect(Number(expiration) - Date.now()).toBeLessThanOrEqual(900_000);
    sts.setSessionLifetime(-1_000);
    expect(Number((await assume()).expiration)).toBeLessThan(Date.now());
  });

  it.each<[string, string, () => Promise<unknown>]>([
    ['an unknown role', 'AccessDenied', () => assume({ RoleArn: `${ROLE}x` })],
    ['a session name with a space', 'ValidationError', () => assume({ RoleSessionName: 'a b' })],
    ['a session that is too short', 'ValidationError', () => assume({ DurationSeconds: 60 })],
    ['a key that is not known', 'InvalidClientTokenId', () => assume({}, new CredentialStore().current)],
    [
      'a key that has expired',
      'InvalidClientTokenId',
      () => assume({}, rds().credentials.issueTemporary({ lifetimeMs: -1 })),
    ],
    ['another region', 'SignatureDoesNotMatch', () => assume({}, undefined, 'us-east-1')],
    [
      'another secret',
      'SignatureDoesNotMatch',
      () => assume({}, { ...rds().credentials.current, secretAccessKey: 'another' }),
    ],
  ])('refuses %s', async (_, name, call) => {
    await expect(call()).rejects.toMatchObject({ name });
    expect(sts.assumed).toEqual([]);
  });

  it('refuses an unsigned request, in XML', async () => {
    const answer = await fetch(sts.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=AssumeRole',
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([403, 'text/xml']);
    expect(await answer.text()).toContain('<Message>not signed</Message>');
  });

  it('can be set to fail', async () => {
    sts.set({ status: 500, body: '<html>' });
    await expect(assume()).rejects.toBeInstanceOf(Error);
    sts.set({});
    await assume();
  });
});
