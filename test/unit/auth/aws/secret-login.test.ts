import { afterEach, beforeEach, expect, it } from 'vitest';
import { CredentialStore } from '../../../../local-rds/credentials.js';
import { startSecretsManager, type SecretsManager } from '../../../../local-rds/index.js';
import { awsCredentialsSource } from '../../../../src/auth/aws/credentials.js';
import { readLogin, SECRETS_MANAGER } from '../../../../src/auth/aws/secret-login.js';
import { setEnv, useCleanAwsEnvironment } from '../../../support/aws-environment.js';

useCleanAwsEnvironment();

let service: SecretsManager;
beforeEach(async () => {
  const store = new CredentialStore();
  service = await startSecretsManager({ credentials: store });
  const { accessKeyId, secretAccessKey } = store.current;
  setEnv({ ...service.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
});
afterEach(() => service.stop());

it('the user and password of a secret are read once and used for 15 minutes', async () => {
  service.put('app/db', { username: 'shop', password: 'of the shop' });
  const settings = { secretId: 'app/db', region: 'eu-central-1' };
  const source = awsCredentialsSource(SECRETS_MANAGER, {});
  expect(await readLogin(settings, source, new AbortController().signal)).toEqual({
    ...{ user: 'shop', password: 'of the shop' },
    reuseMs: 15 * 60_000,
  });
});
