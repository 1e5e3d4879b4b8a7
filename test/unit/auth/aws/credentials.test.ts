import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startImds, type AccessKey, type Imds } from '../../../../local-rds/index.js';
import { awsCredentialsSource } from '../../../../src/auth/aws/credentials.js';
import { newAuthToken, newDynamicAuthFunc } from '../../../../src/auth/index.js';
import type { TokenSource } from '../../../../src/hooks.js';
import { setEnv, useCleanAwsEnvironment, useImds } from '../../../support/aws-environment.js';
import { EXAMPLE_KEYS, iamConfig, newTarget, parameter, signedBy } from '../../../support/tokens.js';

const KEYS_PATH = 'GET /latest/meta-data/iam/security-credentials/local-rds';
const MINUTE_MS = 60_000;

const place = useCleanAwsEnvironment();

afterEach(() => void vi.useRealTimers());

const token = (): Promise<string> => newAuthToken(iamConfig(), 'app');

describe('credentials from the environment', () => {
  it('take effect at the next token when they change', async () => {
    setEnv(EXAMPLE_KEYS);
    expect(signedBy(await token())).toBe('AKIDEXAMPLE');
    setEnv({ AWS_ACCESS_KEY_ID: 'AKIDOTHER', AWS_SESSION_TOKEN: 'session' });
    const changed = await token();
    expect(signedBy(changed)).toBe('AKIDOTHER');
    expect(parameter(changed, 'X-Amz-Security-Token')).toBe('session');
    setEnv({ AWS_SESSION_TOKEN: undefined });
    expect(parameter(await token(), 'X-Amz-Security-Token')).toBeUndefined();
  });

  it('are ignored once AWS_PROFILE is set', async () => {
    setEnv(EXAMPLE_KEYS);
    expect(signedBy(await token())).toBe('AKIDEXAMPLE');
    writeProfile('other', 'AKIDPROFILE');
    setEnv({ AWS_PROFILE: 'other', AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    expect(signedBy(await token())).toBe('AKIDPROFILE');
  });
});

describe('credentials from files', () => {
  it('are those of the profile', async () => {
    writeProfile('blue', 'AKIDBLUE');
    setEnv({ AWS_PROFILE: 'blue' });
    expect(signedBy(await token())).toBe('AKIDBLUE');
  });

  it('are read again after a login with them was rejected', async () => {
    writeProfile('default', 'AKIDOLD');
    const source = await sourceOf();
    expect(signedBy(await token())).toBe('AKIDOLD');
    writeProfile('default', 'AKIDNEW');
    expect(signedBy(await token())).toBe('AKIDOLD');
    source.rejected?.();
    expect(signedBy(await token())).toBe('AKIDNEW');
  });

  it('can come from a credential_process', async () => {
    const answer = {
      Version: 1,
      AccessKeyId: 'AKIDPROCESS',
      SecretAccessKey: 'secret',
      SessionToken: 'session',
    };
    writeProcess(`console.log(${JSON.stringify(JSON.stringify(answer))})`);
    const made = await token();
    expect(signedBy(made)).toBe('AKIDPROCESS');
    expect(parameter(made, 'X-Amz-Security-Token')).toBe('session');
  });

  it('keep the output of a failed credential_process out of the whole error', async () => {
    writeProcess(`console.error('canary'); process.exit(1)`);
    const error: unknown = await token().catch((caught: unknown) => caught);
    expect(error).toHaveProperty('code', 'ERR_PGAUGE_AUTH');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
  });

  it('are refused without a secret key', async () => {
    const answer = { Version: 1, AccessKeyId: 'AKIDPROCESS', SecretAccessKey: '' };
    writeProcess(`console.log(${JSON.stringify(JSON.stringify(answer))})`);
    await expect(token()).rejects.toThrow('incomplete credentials');
  });
});

describe('credentials of an instance', () => {
  let imds: Imds;
  let keys: AccessKey[] = [];

  beforeEach(async () => {
    keys = [];
    imds = await startImds({
      credentials: (lifetimeMs) => {
        const key = {
          accessKeyId: `ASIA${keys.length}`,
          secretAccessKey: 'secret',
          sessionToken: 'session',
          expiration: new Date(Date.now() + lifetimeMs),
        };
        keys.push(key);
        return key;
      },
    });
    useImds(imds.endpoint);
  });

  afterEach(() => imds.stop());

  const fetches = (): number => imds.calls()[KEYS_PATH] ?? 0;

  it('are fetched once for 500 tokens requested at once and for later ones', async () => {
    const seen: (number | undefined)[] = [];
    const unsubscribe = awsCredentialsSource('awsRdsIam').observe({
      fetched: (_provider, _durationMs, error) => seen.push(error ? 0 : 1),
    });
    const hook = await newDynamicAuthFunc(iamConfig(), 'app');
    const targets = Array.from({ length: 500 }, (_, i) => newTarget({ port: 1000 + i }));
    await Promise.all(targets.map((target) => hook(target)));
    await hook(newTarget());
    unsubscribe();
    expect(new Set(targets.map(({ password }) => password)).size).toBe(500);
    expect(fetches()).toBe(1);
    expect(seen).toEqual([1]);
  });

  it('reject every waiting token when they cannot be fetched, and are fetched again by the next one', async () => {
    imds.set({ path: '/latest/meta-data/iam', status: 500 });
    const failed = await Promise.allSettled([token(), token(), token()]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    imds.set({});
    expect(signedBy(await token())).toBe('ASIA0');
  });

  it('are refused when the service answers with something else, which is not repeated', async () => {
    imds.set({ path: '/latest/meta-data/iam', body: '<html>canary</html>' });
    const error: unknown = await token().catch((caught: unknown) => caught);
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining('failed to build authentication token: '),
    );
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
  });

  it('are renewed at most once a minute while under 15 minutes are left', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    imds.setCredentialsLifetime(20 * MINUTE_MS);
    await token();
    pass(4 * MINUTE_MS);
    await token();
    expect(fetches()).toBe(1);
    pass(2 * MINUTE_MS);
    await Promise.all(Array.from({ length: 50 }, token));
    await token();
    expect(fetches()).toBe(2);
    pass(MINUTE_MS);
    await token();
    await token();
    expect(fetches()).toBe(3);
  });

  it('that never last 15 minutes are fetched once a minute, not for every token', async () => {
    imds.setCredentialsLifetime(10 * MINUTE_MS);
    for (let i = 0; i < 5; i++) await token();
    expect(fetches()).toBe(1);
  });

  it('are used until they expire when renewing them fails', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    imds.setCredentialsLifetime(16 * MINUTE_MS);
    await token();
    pass(14 * MINUTE_MS);
    imds.set({ path: '/latest/meta-data/iam', status: 500 });
    expect(signedBy(await token())).toBe('ASIA0');
    pass(3 * MINUTE_MS);
    await expect(token()).rejects.toThrow('failed to build authentication token');
    imds.set({});
    expect(signedBy(await token())).toBe('ASIA1');
  });

  it('are fetched anew after a rejected login, at most once in 10 s', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const source = await sourceOf();
    expect(signedBy(await token())).toBe('ASIA0');
    imds.setCredentialsLifetime(6 * 60 * MINUTE_MS);
    for (let i = 0; i < 3; i++) {
      source.rejected?.();
      expect(signedBy(await token())).toBe('ASIA1');
    }
    expect(fetches()).toBe(2);
    imds.setCredentialsLifetime(6 * 60 * MINUTE_MS);
    pass(10_000);
    source.rejected?.();
    expect(signedBy(await token())).toBe('ASIA2');
  });

  it('report their expiration and their fetches, failed ones too, to observers', async () => {
    const seen: { provider: string; durationMs: number; error?: unknown }[] = [];
    const broken = awsCredentialsSource('awsRdsIam').observe({
      fetched() {
        throw new Error('broken telemetry');
      },
    });
    const unsubscribe = awsCredentialsSource('awsRdsIam').observe({
      fetched: (provider, durationMs, error) => seen.push({ provider, durationMs, error }),
    });
    imds.set({ status: 500 });
    await expect(token()).rejects.toThrow();
    expect(awsCredentialsSource('awsRdsIam').expireAtMs()).toBeUndefined();
    imds.set({});
    await token();
    expect(awsCredentialsSource('awsRdsIam').expireAtMs()).toBeCloseTo(
      keys[0]?.expiration?.getTime() ?? 0,
      -4,
    );
    expect(seen).toMatchObject([
      { provider: 'awsRdsIam', error: { name: 'CredentialsProviderError' } },
      { provider: 'awsRdsIam', error: undefined },
    ]);
    expect(seen.every(({ durationMs }) => durationMs > 0)).toBe(true);
    expect(inspect(seen, { depth: 9, showHidden: true })).not.toContain('session');
    unsubscribe();
    broken();
    setEnv(EXAMPLE_KEYS);
    await token();
    expect(seen).toHaveLength(2);
    expect(awsCredentialsSource('awsRdsIam').expireAtMs()).toBeUndefined();
  });
});

function pass(ms: number): void {
  vi.advanceTimersByTime(ms);
}

async function sourceOf(): Promise<TokenSource> {
  const sources: TokenSource[] = [];
  const hook = await newDynamicAuthFunc(iamConfig(), 'app');
  await hook(newTarget(), {
    signal: new AbortController().signal,
    refreshToken(source, refresh) {
      sources.push(source);
      return refresh();
    },
  });
  const [source] = sources;
  if (!source) throw new Error('no source');
  return source;
}

function writeProfile(name: string, accessKeyId: string): void {
  const text = `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = secret\n`;
  writeFileSync(join(place.home, 'credentials'), text);
}

function writeProcess(program: string): void {
  const file = join(place.home, 'process.mjs');
  writeFileSync(file, program);
  writeFileSync(
    join(place.home, 'config'),
    `[default]\ncredential_process = "${process.execPath}" "${file}"\n`,
  );
}
