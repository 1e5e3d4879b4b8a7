import { dsqlVerifier, startSecretsManager, type LocalRds } from '../../../local-rds/index.js';
import { serveCredentials, type CredentialEndpoint } from './credential-endpoint.js';
import { containerCredentials } from '../environment.js';
import { createRole, newPassword, setPassword } from './roles.js';
import { SLOW_MS, type LoginSource, type Trouble } from './source.js';

const SECRET = 'demo/database';

/** RDS IAM tokens. */
export async function startRdsIam(rds: LocalRds, lifetimeMs: number): Promise<LoginSource> {
  const keys = await serveCredentials(rds, lifetimeMs);
  return {
    ...signing(keys),
    about: 'an IAM token per login',
    user: rds.user,
    dynamicAuth: { awsRdsIam: { region: rds.region } },
  };
}

/** Aurora DSQL tokens. */
export async function startDsql(rds: LocalRds, lifetimeMs: number): Promise<LoginSource> {
  const { host, region, credentials } = rds;
  const user = 'dsql_app';
  await createRole(rds, user, { verifier: dsqlVerifier({ host, region, credentials }) });
  const keys = await serveCredentials(rds, lifetimeMs);
  return {
    ...signing(keys),
    about: 'a token of Aurora DSQL per login',
    user,
    dynamicAuth: { awsDsql: { region } },
  };
}

/** The password in a secret, which is changed in the phase "slow credentials": else it would not be read again. */
export async function startSecret(rds: LocalRds, lifetimeMs: number): Promise<LoginSource> {
  const user = 'secret_app';
  await createRole(rds, user, { password: newPassword() });
  const service = await startSecretsManager({ credentials: rds.credentials, region: rds.region });
  const rotate = async (): Promise<void> => {
    const password = await setPassword(rds, user);
    service.put(SECRET, { username: user, password });
  };
  await rotate();
  const keys = await serveCredentials(rds, lifetimeMs);
  let before = 0;
  return {
    ...signing(keys),
    about: 'the password in a secret of Secrets Manager',
    user,
    dynamicAuth: { awsSecretsManager: { secretId: SECRET, region: rds.region } },
    env: { ...containerCredentials(keys.url), ...service.env },
    trouble: {
      about: 'the secret changes: one login is rejected, and the next one reads it again',
      mayFail: true,
      async begin() {
        before = service.reads;
        service.set({ delayMs: SLOW_MS });
        await rotate();
      },
      met: () => service.reads > before,
      end: () => service.set({}),
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await keys[Symbol.asyncDispose]();
    },
  };
}

function signing(keys: CredentialEndpoint): Omit<LoginSource, 'about' | 'user' | 'dynamicAuth'> {
  return {
    env: containerCredentials(keys.url),
    lifetimeMs: keys.lifetimeMs,
    trouble: slowKeys(keys),
    [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose](),
  };
}

function slowKeys(keys: CredentialEndpoint): Trouble {
  let before = 0;
  return {
    about: `AWS takes ${SLOW_MS} ms to hand out credentials`,
    begin() {
      before = keys.lateKeys;
      keys.delayMs = SLOW_MS;
    },
    met: () => keys.lateKeys > before,
    end: () => void (keys.delayMs = 0),
  };
}
