import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { awsCredentialsSource } from '../../../../src/auth/aws/credentials.js';
import type { DynamicAuthAwsRdsIam } from '../../../../src/auth/aws/rds-iam.js';
import { newAuthToken, newDynamicAuthFunc } from '../../../../src/auth/index.js';
import { AuthError } from '../../../../src/errors.js';
import type { CredentialsSource, TokenSource } from '../../../../src/hooks.js';
import { setEnv, useCleanAwsEnvironment } from '../../../support/aws-environment.js';
import { EXAMPLE_KEYS, HOST, iamConfig, newTarget, parameter, signedBy } from '../../../support/tokens.js';

const place = useCleanAwsEnvironment();

const config = (awsRdsIam: Partial<DynamicAuthAwsRdsIam>) =>
  iamConfig({ dynamicAuth: { awsRdsIam: { region: 'us-east-1', ...awsRdsIam } } });
const token = (awsRdsIam: Partial<DynamicAuthAwsRdsIam>): Promise<string> =>
  newAuthToken(config(awsRdsIam), 'app');

/** The source of its token that a pool with these settings reports. */
async function sourceOf(awsRdsIam: Partial<DynamicAuthAwsRdsIam>, host = HOST): Promise<TokenSource> {
  const sources: TokenSource[] = [];
  const hook = await newDynamicAuthFunc(config(awsRdsIam), 'app');
  await hook(newTarget({ host }), {
    signal: new AbortController().signal,
    refreshToken(source, refresh) {
      sources.push(source);
      return refresh();
    },
  });
  const [source] = sources;
  if (source === undefined) throw new Error('no token was asked for');
  return source;
}

function credentialsOf({ credentials }: TokenSource): CredentialsSource | undefined {
  return credentials?.[0];
}

/** A provider that counts its calls and numbers its keys. */
function provider() {
  const calls: unknown[] = [];
  return {
    calls,
    credentials: (options?: object) => {
      calls.push(options);
      return Promise.resolve({ accessKeyId: `AKID${calls.length}`, secretAccessKey: 'secret' });
    },
  };
}

describe('an AWS profile', () => {
  beforeEach(() => {
    const lines = ['blue', 'green'].flatMap((name) => [
      `[${name}]`,
      `aws_access_key_id = AKID${name.toUpperCase()}`,
      'aws_secret_access_key = secret',
    ]);
    writeFileSync(join(place.home, 'credentials'), lines.join('\n'));
  });

  it('signs beside another one, independent of the environment', async () => {
    setEnv({ ...EXAMPLE_KEYS });
    expect(signedBy(await token({ profile: 'blue' }))).toBe('AKIDBLUE');
    expect(signedBy(await token({ profile: 'green' }))).toBe('AKIDGREEN');
    expect(signedBy(await token({}))).toBe('AKIDEXAMPLE');
  });

  it('shares its credentials only with pools of the same profile', async () => {
    const blue = credentialsOf(await sourceOf({ profile: 'blue' }));
    expect(credentialsOf(await sourceOf({ profile: 'blue' }))).toBe(blue);
    expect(credentialsOf(await sourceOf({ profile: 'green' }))).not.toBe(blue);
    expect(blue).toMatchObject({ provider: 'awsRdsIam' });
  });

  it('keeps its credentials while a pool uses them, however many other profiles there are', async () => {
    const blue = credentialsOf(await sourceOf({ profile: 'blue' }));
    const fetches: unknown[] = [];
    blue?.observe({ fetched: (...fetch) => fetches.push(fetch) });
    for (let i = 0; i < 150; i++) awsCredentialsSource('awsRdsIam', { profile: `other${i}` });
    expect(credentialsOf(await sourceOf({ profile: 'blue' }))).toBe(blue);
    expect(fetches).toEqual([]);
  });

  it('is fetched again when its own credentials are rejected, not when another’s are', async () => {
    const [blue, green] = [await sourceOf({ profile: 'blue' }), await sourceOf({ profile: 'green' })];
    writeFileSync(
      join(place.home, 'credentials'),
      '[blue]\naws_access_key_id = AKIDNEW\naws_secret_access_key = secret\n',
    );
    green.rejected?.();
    expect(signedBy(await token({ profile: 'blue' }))).toBe('AKIDBLUE');
    blue.rejected?.();
    expect(signedBy(await token({ profile: 'blue' }))).toBe('AKIDNEW');
  });

  it('that does not exist is an AuthError that names it', async () => {
    await expect(token({ profile: 'absent' })).rejects.toThrow(AuthError);
    await expect(token({ profile: 'absent' })).rejects.toThrow('absent');
  });
});

describe('credentials from the config', () => {
  it('sign directly, without a fetch', async () => {
    const credentials = { accessKeyId: 'AKIDGIVEN', secretAccessKey: 'secret', sessionToken: 'session' };
    const fetches: unknown[] = [];
    const source = credentialsOf(await sourceOf({ credentials }));
    source?.observe({ fetched: (...fetch) => fetches.push(fetch) });
    const signed = await token({ credentials });
    expect(signedBy(signed)).toBe('AKIDGIVEN');
    expect(parameter(signed, 'X-Amz-Security-Token')).toBe('session');
    expect(fetches).toEqual([]);
  });

  it('of a function are fetched once, and again after a rejected login', async () => {
    const { calls, credentials } = provider();
    const source = await sourceOf({ credentials });
    const signed = await Promise.all(Array.from({ length: 50 }, () => token({ credentials })));
    expect(new Set(signed.map(signedBy))).toEqual(new Set(['AKID1']));
    source.rejected?.();
    expect(signedBy(await token({ credentials }))).toBe('AKID2');
    expect(calls).toEqual([{ forceRefresh: false }, { forceRefresh: true }]);
  });

  it('of two functions are kept apart', async () => {
    const [one, two] = [provider(), provider()];
    await token({ credentials: one.credentials });
    await token({ credentials: two.credentials });
    expect([one.calls.length, two.calls.length]).toEqual([1, 1]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['incomplete', () => Promise.resolve({ accessKeyId: 'AKID' })],
    [
      'without a real expiration',
      () => Promise.resolve({ accessKeyId: 'AKID', secretAccessKey: 's', expiration: '2030-01-01' }),
    ],
    ['missing', () => Promise.resolve(undefined)],
    ['refused', () => Promise.reject(new Error('no login'))],
  ])('that are %s are an AuthError', async (_title, credentials) => {
    const refused = token({ credentials: credentials as DynamicAuthAwsRdsIam['credentials'] });
    await expect(refused).rejects.toThrow(
      /^dynamic auth \(awsRdsIam\): failed to build authentication token: ./,
    );
  });
});

describe('the region of the host', () => {
  beforeEach(() => setEnv(EXAMPLE_KEYS));

  it.each([
    ['db.abc.eu-central-1.rds.amazonaws.com', 'eu-central-1'],
    ['db.cluster-ro-abc.us-gov-west-1.rds.amazonaws.com.', 'us-gov-west-1'],
    ['db.abc.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ])('of %s is %s, for the signature and for the reported source', async (host, region) => {
    const given = iamConfig({ host, dynamicAuth: { awsRdsIam: { region: 'host' } } });
    expect(parameter(await newAuthToken(given, 'app'), 'X-Amz-Credential')).toContain(`/${region}/rds-db/`);
    expect(await sourceOf({ region: 'host' }, host)).toMatchObject({ region });
  });

  it('is an AuthError if the host name contains none', async () => {
    await expect(sourceOf({ region: 'host' }, 'db.internal')).rejects.toThrow(
      new AuthError(
        'dynamic auth (awsRdsIam): db.internal is not the name of an RDS endpoint, from which to read the region: give the region itself',
      ),
    );
  });
});
