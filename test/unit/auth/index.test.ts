import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startImds, verifyToken } from '../../../local-rds/index.js';
import { newAuthToken, newDynamicAuthFunc } from '../../../src/auth/index.js';
import { validateConfig } from '../../../src/settings/config-checks.js';
import type { Config } from '../../../src/settings/config.js';
import { AuthError, ConfigError } from '../../../src/errors.js';
import type { ConnectContext, TokenSource } from '../../../src/hooks.js';
import { setEnv, useCleanAwsEnvironment, useImds } from '../../support/aws-environment.js';
import {
  EXAMPLE_KEYS,
  expectedToken,
  HOST,
  iamConfig,
  inRegion,
  newTarget,
  parameter,
  parts,
} from '../../support/tokens.js';

const DATE = new Date('2015-08-30T12:36:00Z');
const SESSION_TOKEN = 'AQoDYXdzEPT//////////wEXAMPLE+session/token==';
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: EXAMPLE_KEYS.AWS_SECRET_ACCESS_KEY };

useCleanAwsEnvironment();

beforeEach(() => setEnv(EXAMPLE_KEYS));
afterEach(() => void vi.useRealTimers());

function atFixedTime(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: DATE });
}

/** A context that records the sources it receives, as a pool's does. */
function measured(signal = new AbortController().signal): ConnectContext & { sources: TokenSource[] } {
  const sources: TokenSource[] = [];
  return {
    signal,
    sources,
    refreshToken(source, refresh) {
      sources.push(source);
      return refresh();
    },
  };
}

describe('newAuthToken', () => {
  it('signs a token with long-lived keys according to SigV4', async () => {
    atFixedTime();
    const token = await newAuthToken(iamConfig(), 'app');
    const expected = expectedToken({
      authority: `${HOST}:5432`,
      user: 'app',
      region: 'us-east-1',
      date: DATE,
      ...KEYS,
    });
    expect(parts(token)).toEqual(parts(expected));
    expect(parameter(token, 'X-Amz-Signature')).toBe(
      '23198dc98231e2a91cf781903003bb4a1dc1cc22d6dd8e408d62a46f9091fd7d',
    );
  });

  it('includes the session token of temporary keys in the signature', async () => {
    setEnv({ AWS_SESSION_TOKEN: SESSION_TOKEN });
    atFixedTime();
    const token = await newAuthToken(iamConfig({ port: 6543 }), 'a user+ü');
    const expected = expectedToken({
      authority: `${HOST}:6543`,
      user: 'a user+ü',
      region: 'us-east-1',
      date: DATE,
      sessionToken: SESSION_TOKEN,
      ...KEYS,
    });
    expect(parts(token)).toEqual(parts(expected));
    expect(parameter(token, 'X-Amz-Signature')).toBe(
      '4409e48a1463f7eb29c9edf327d9a2e9e5ecbed991a5782bcddb44aa70239540',
    );
  });

  it('writes an IPv6 address in brackets to separate host and port', async () => {
    atFixedTime();
    const token = await newAuthToken(iamConfig({ host: '2001:db8::5' }), 'app');
    const authority = '[2001:db8::5]:5432';
    expect(new URL(`https://${token}`).host).toBe(authority);
    expect(parts(token)).toEqual(
      parts(expectedToken({ authority, user: 'app', region: 'us-east-1', date: DATE, ...KEYS })),
    );
  });

  it('makes a fresh signature for every token', async () => {
    atFixedTime();
    const first = await newAuthToken(iamConfig(), 'app');
    vi.setSystemTime(DATE.getTime() + 1000);
    const second = await newAuthToken(iamConfig(), 'app');
    expect(parameter(second, 'X-Amz-Date')).toBe('20150830T123601Z');
    expect(parameter(second, 'X-Amz-Signature')).not.toBe(parameter(first, 'X-Amz-Signature'));
  });

  it('returns an empty string when dynamicAuth is unset', async () => {
    const config = iamConfig({ dynamicAuth: undefined });
    await expect(newAuthToken(config, 'app')).resolves.toBe('');
  });

  it.each([null, undefined])('refuses the config %s', async (config) => {
    const refused = newAuthToken(config as unknown as Config, 'app');
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(/^config is nil$/);
  });

  it.each<[string, Partial<Config>, string]>([
    ['an empty host', { host: '' }, 'host is required'],
    ['a host that would change the signed address', { host: 'db/?x' }, 'host must not contain'],
    ['a host with a line break', { host: 'db\r\nx' }, 'host must not contain'],
    ['a port out of range', { port: 65_536 }, 'port must be between 1 and 65535'],
    ['no backend', { dynamicAuth: {} }, 'no supported auth method'],
  ])('refuses %s', async (_title, overrides, message) => {
    const refused = newAuthToken(iamConfig(overrides), 'app');
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(message);
  });

  it.each(['', 'a\u0000b'])('refuses the user %j', async (user) => {
    await expect(newAuthToken(iamConfig(), user)).rejects.toThrow(ConfigError);
  });

  it('checks only the fields that it uses', async () => {
    const config = { ...iamConfig({ minConns: -1, database: '' }), unknown: 1 };
    await expect(newAuthToken(config, 'app')).resolves.toContain('X-Amz-Signature=');
  });

  it.each(['', undefined])(
    'refuses the missing region %j as newPool does, with the prefix of the backend',
    async (region) => {
      const refused = newAuthToken(inRegion(region as string), 'app');
      await expect(refused).rejects.toThrow(ConfigError);
      await expect(refused).rejects.toThrow(
        /^dynamic auth \(awsRdsIam\): AWS RDS IAM region is not configured: dynamicAuth\.awsRdsIam\.region is required$/,
      );
    },
  );

  it('reports a malformed region as AuthError', async () => {
    const refused = newAuthToken(inRegion('Frankfurt'), 'app');
    await expect(refused).rejects.toThrow(AuthError);
    await expect(refused).rejects.toThrow(
      /^dynamic auth \(awsRdsIam\): AWS RDS IAM region does not look like one/,
    );
  });

  it('reports missing credentials, with the error of the SDK as cause', async () => {
    setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    const error = await newAuthToken(iamConfig(), 'app').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AuthError);
    const { message, cause } = error as AuthError;
    expect(message).toMatch(/^dynamic auth \(awsRdsIam\): failed to build authentication token: .+/);
    expect(message).toContain((cause as Error).message);
    expect((cause as Error).name).toBe('CredentialsProviderError');
  });

  it('rejects with the reason of an already aborted signal', async () => {
    const reason = new Error('shutting down');
    const aborted = newAuthToken(iamConfig(), 'app', { signal: AbortSignal.abort(reason) });
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_PGAUGE_AUTH', cause: reason });
  });

  it('rejects at once on abort while the credential provider hangs', async () => {
    await using imds = await startImds();
    imds.set({ hang: true });
    setEnv({ AWS_ACCESS_KEY_ID: undefined });
    useImds(imds.endpoint);
    const reason = new Error('deadline');
    const controller = new AbortController();
    const start = performance.now();
    setTimeout(() => controller.abort(reason), 50);
    const aborted = newAuthToken(iamConfig(), 'app', { signal: controller.signal });
    await expect(aborted).rejects.toMatchObject({ cause: reason, name: 'AuthError' });
    await expect(aborted).rejects.toThrow('failed to build authentication token: deadline');
    expect(performance.now() - start).toBeLessThan(3_500);
  });
});

describe('settings that validateConfig refuses', () => {
  it.each<[unknown, string]>([
    [{ region: 'us-east-1', prophile: 'x' }, 'unknown key "prophile" in dynamicAuth.awsRdsIam'],
    [{ region: 'us-east-1', profile: '' }, 'dynamicAuth.awsRdsIam.profile is required'],
    [
      { region: 'us-east-1', roleArn: 'app' },
      'dynamicAuth.awsRdsIam.roleArn must be the ARN of a role, such as arn:aws:iam::123456789012:role/app',
    ],
    [
      { region: 'us-east-1', externalId: 'x' },
      'dynamicAuth.awsRdsIam.externalId belongs to a role: give roleArn, too',
    ],
    [
      { region: 'us-east-1', profile: 'x', credentials: () => undefined },
      'dynamicAuth.awsRdsIam.profile and dynamicAuth.awsRdsIam.credentials are mutually exclusive',
    ],
    [
      { region: 'us-east-1', credentials: { accessKeyId: 'AKID' } },
      'dynamicAuth.awsRdsIam.credentials.secretAccessKey is required',
    ],
    [
      { region: 'us-east-1', credentials: { accessKeyId: 'A', secretAccessKey: 's', sessionToken: 5 } },
      'dynamicAuth.awsRdsIam.credentials.sessionToken must be a string',
    ],
    [
      { region: 'us-east-1', credentials: { accessKeyId: 'A', secretAccessKey: 's', expiration: '2030' } },
      'dynamicAuth.awsRdsIam.credentials.expiration must be a Date',
    ],
    [
      {
        region: 'us-east-1',
        credentials: { accessKeyId: 'A', secretAccessKey: 's', expiration: new Date(NaN) },
      },
      'dynamicAuth.awsRdsIam.credentials.expiration must be a Date',
    ],
    [
      { region: 'us-east-1', credentials: 'AKID' },
      'dynamicAuth.awsRdsIam.credentials must be an object or a function',
    ],
    [{ region: 1 }, 'dynamicAuth.awsRdsIam.region must be a string'],
    [{ region: 'us-east-1\n' }, 'dynamicAuth.awsRdsIam.region must not contain control characters'],
  ])(
    '%j are refused by newAuthToken and newDynamicAuthFunc with the same error',
    async (awsRdsIam, message) => {
      const config = iamConfig({ dynamicAuth: { awsRdsIam } as Config['dynamicAuth'] });
      expect(() => validateConfig(config)).toThrow(new ConfigError(message));
      await expect(newAuthToken(config, 'app')).rejects.toThrow(new ConfigError(message));
      await expect(newDynamicAuthFunc(config, 'app')).rejects.toThrow(new ConfigError(message));
    },
  );
});

describe('newDynamicAuthFunc', () => {
  it('sets user and password of the target, signed for its host and port as they are when it runs', async () => {
    const hook = await newDynamicAuthFunc(iamConfig(), 'app');
    const target = newTarget({ host: 'replica.example.com', port: 7777 });
    await hook(target, measured());
    expect(target).toEqual(
      newTarget({ host: 'replica.example.com', port: 7777, user: 'app', password: target.password }),
    );
    const verdict = verifyToken(target.password, {
      host: 'replica.example.com',
      port: 7777,
      user: 'app',
      region: 'us-east-1',
      now: new Date(),
      credentials: (id) => (id === KEYS.accessKeyId ? KEYS : undefined),
    });
    expect(verdict).toEqual({ ok: true });
  });

  it('requests each token through context.refreshToken, with provider and region', async () => {
    const hook = await newDynamicAuthFunc(iamConfig(), 'app');
    const context = measured();
    await hook(newTarget(), context);
    await hook(newTarget(), context);
    expect(context.sources).toHaveLength(2);
    expect(context.sources[0]).toMatchObject({ provider: 'awsRdsIam', region: 'us-east-1' });
    expect(context.sources[0]?.rejected).toBeTypeOf('function');
    expect(inspect(context.sources, { depth: 9, showHidden: true })).not.toContain(KEYS.secretAccessKey);
  });

  it('works without a hook context', async () => {
    const hook = await newDynamicAuthFunc(iamConfig(), 'app');
    const target = newTarget();
    await hook(target);
    expect(target.password).toContain(`${HOST}:5432/?Action=connect&DBUser=app`);
  });

  it('does not retain the caller’s config', async () => {
    const awsRdsIam = { region: 'us-east-1' };
    const config = { ...iamConfig(), dynamicAuth: { awsRdsIam } };
    const preparing = newDynamicAuthFunc(config, 'app');
    awsRdsIam.region = 'eu-west-1';
    const hook = await preparing;
    const target = newTarget();
    await hook(target);
    expect(parameter(target.password, 'X-Amz-Credential')).toContain('/us-east-1/rds-db/');
  });

  it('refuses a config without dynamicAuth', async () => {
    const config = iamConfig({ dynamicAuth: undefined });
    const refused = newDynamicAuthFunc(config, 'app');
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow('dynamic authentication is not configured');
    await expect(newDynamicAuthFunc(null as unknown as Config, 'app')).rejects.toThrow(/^config is nil$/);
  });

  it('resolves the region once', async () => {
    await using imds = await startImds({ region: 'eu-west-3' });
    useImds(imds.endpoint);
    const hook = await newDynamicAuthFunc(inRegion('detect'), 'app');
    for (let i = 0; i < 3; i++) {
      const target = newTarget();
      await hook(target);
      expect(parameter(target.password, 'X-Amz-Credential')).toContain('/eu-west-3/rds-db/');
    }
    expect(imds.calls()['GET /latest/meta-data/placement/region']).toBe(1);
  });

  it('does not change the target when no token can be issued', async () => {
    setEnv({ AWS_ACCESS_KEY_ID: undefined });
    const hook = await newDynamicAuthFunc(iamConfig(), 'app');
    const target = newTarget({ password: 'static' });
    await expect(hook(target, measured())).rejects.toThrow('dynamic auth (awsRdsIam): failed to build');
    expect(target).toEqual(newTarget({ password: 'static' }));
  });

  it('rejects at once when the attempt’s deadline passes while the provider hangs', async () => {
    await using imds = await startImds();
    imds.set({ hang: true });
    setEnv({ AWS_ACCESS_KEY_ID: undefined });
    useImds(imds.endpoint);
    const controller = new AbortController();
    const hook = await newDynamicAuthFunc(iamConfig(), 'app');
    const running = hook(newTarget(), measured(controller.signal));
    const reason = new Error('connect timeout');
    setTimeout(() => controller.abort(reason), 20);
    await expect(running).rejects.toMatchObject({ name: 'AuthError', cause: reason });
  });

  it('refuses a target that an earlier hook made invalid for signing', async () => {
    const hook = await newDynamicAuthFunc(iamConfig(), 'app');
    await expect(hook(newTarget({ host: 'db?x=' }))).rejects.toThrow(ConfigError);
  });
});
