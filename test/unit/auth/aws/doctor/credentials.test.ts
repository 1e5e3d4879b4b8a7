import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CredentialStore } from '../../../../../local-rds/credentials.js';
import { startSecretsManager, type SecretsManager } from '../../../../../local-rds/index.js';
import { dsqlDoctor } from '../../../../../src/auth/aws/doctor/dsql.js';
import { secretsManagerDoctor } from '../../../../../src/auth/aws/doctor/secrets-manager.js';
import { maskedKeyId } from '../../../../../src/auth/aws/doctor/source.js';
import { newAuthToken } from '../../../../../src/auth/index.js';
import { Session } from '../../../../../src/doctor/session.js';
import type { Config } from '../../../../../src/settings/config.js';
import { setEnv, useCleanAwsEnvironment } from '../../../../support/aws-environment.js';

const CLUSTER = 'abc.dsql.eu-central-1.on.aws';
const { signal } = new AbortController();

useCleanAwsEnvironment();

let store: CredentialStore;
beforeEach(() => {
  store = new CredentialStore();
  const { accessKeyId, secretAccessKey } = store.current;
  setEnv({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
});

function sessionOf(dynamicAuth: NonNullable<Config['dynamicAuth']>): Session {
  const config = { host: CLUSTER, port: 5432, user: 'app', database: 'app', dynamicAuth };
  const session = new Session(
    { config, origins: {}, caFile: undefined, max: 10, timeoutMs: 10_000 },
    process.env,
  );
  session.set('config', config);
  return session;
}

/** Replaces the environment's keys with those of a session that ends in an hour. */
function useTemporaryKey() {
  const key = store.issueTemporary();
  setEnv({
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_SESSION_TOKEN: key.sessionToken,
    AWS_CREDENTIAL_EXPIRATION: key.expiration.toISOString(),
  });
  return key;
}

describe('the credentials of Aurora DSQL', () => {
  it('are named with source, key and expiration', async () => {
    const key = useTemporaryKey();
    const session = sessionOf({ awsDsql: {} });
    const outcome = await dsqlDoctor.checks?.credentials?.(session, signal);
    expect(outcome).toMatchObject({
      status: 'ok',
      facts: {
        source: 'environment',
        access_key_id: maskedKeyId(key.accessKeyId),
        temporary: true,
        expires_at: key.expiration.toJSON(),
      },
    });
    expect(outcome?.found).toMatch(/^from environment: key ASIA….{4}, ends in 60 min$/);
    expect(session.text.clean(key.secretAccessKey)).toBe('[hidden]');
  });

  it('limit the expiration of a token', async () => {
    const { expiration } = useTemporaryKey();
    const session = sessionOf({ awsDsql: {} });
    await dsqlDoctor.checks?.credentials?.(session, signal);
    session.set('credentials', { service: undefined, expireAtMs: expiration.getTime() - 59.5 * 60_000 });
    const token = await newAuthToken(session.get('config'), 'app');
    const outcome = await dsqlDoctor.describeToken?.(token, session, signal);
    const end = new Date(expiration.getTime() - 59.5 * 60_000).toJSON();
    expect(outcome?.facts).toMatchObject({ action: 'DbConnect', host: CLUSTER, expires_at: end });
  });

  it('are reported as missing, with the prefix of this backend', async () => {
    setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    const outcome = await dsqlDoctor.checks?.credentials?.(sessionOf({ awsDsql: {} }), signal);
    expect(outcome).toMatchObject({ status: 'failed', code: 'credentials_missing' });
    expect(outcome?.found).toContain('dynamic auth (awsDsql): failed to build authentication token: ');
  });
});

describe('the credentials of Secrets Manager', () => {
  let service: SecretsManager;
  beforeEach(async () => {
    service = await startSecretsManager({ credentials: store });
    setEnv(service.env);
    service.put('app/db', { username: 'shop', password: 'canary-of-a-password' });
  });
  afterEach(() => service.stop());

  const check = async (secretId: string) => {
    const session = sessionOf({ awsSecretsManager: { secretId, region: 'eu-central-1' } });
    return await secretsManagerDoctor.checks?.credentials?.(session, signal);
  };

  it('are named with source, key and expiration beside the user in the secret, without its password', async () => {
    const key = useTemporaryKey();
    const outcome = await check('app/db');
    expect(outcome).toMatchObject({
      status: 'ok',
      facts: {
        ...{ source: 'environment', access_key_id: maskedKeyId(key.accessKeyId), user: 'shop' },
        ...{ expires_at: key.expiration.toJSON(), secret: 'app/db', region: 'eu-central-1' },
      },
    });
    expect(outcome?.found).toMatch(
      /^user shop, from the secret app\/db in eu-central-1, read with credentials from environment: key ASIA/,
    );
    expect(JSON.stringify(outcome)).not.toMatch(/canary/);
  });

  it('are named even if they may not read the secret', async () => {
    const outcome = await check('absent');
    expect(outcome).toMatchObject({
      status: 'failed',
      code: 'credentials_unavailable',
      facts: { source: 'environment', secret: 'absent' },
    });
  });

  it('are reported as missing, and no secret is requested', async () => {
    setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    expect(await check('app/db')).toMatchObject({ status: 'failed', code: 'credentials_missing' });
    expect(service.reads).toBe(0);
  });
});
