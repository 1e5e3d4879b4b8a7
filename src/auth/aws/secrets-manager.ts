import type { GetSecretValueResponse } from '@aws-sdk/client-secrets-manager';
import { ConfigError } from '../../errors.js';
import { errorText } from '../../foreign-error.js';
import { checkRequired, checkText, isObject, refuseUnknown } from '../../settings/checks.js';
import type { AuthBackend, HeldLogin } from '../backend.js';
import { plainError } from '../plain-error.js';
import { awsCredentialsSource, type AwsCredentialsSource } from './credentials.js';
import { checkIdentity, IDENTITY_SETTINGS, type AwsIdentity } from './identity.js';
import { isRegion } from './region.js';
import { PROVIDERS, SECRETS_CLIENT } from './sdk.js';
import { useSdk } from './use-sdk.js';

/** Logs in with the user and the password that a secret of AWS Secrets Manager holds. */
export interface DynamicAuthAwsSecretsManager extends AwsIdentity {
  /** Name or ARN of the secret, whose value is a JSON object with the user and the password. */
  readonly secretId: string;
  /** The region of the secret. */
  readonly region: string;
  /** Key of the user in the secret; default `username`. */
  readonly usernameKey?: string | undefined;
  /** Key of the password in the secret; default `password`. */
  readonly passwordKey?: string | undefined;
}

const NAME = 'awsSecretsManager';
const REQUIRED = ['secretId', 'region'] as const;
const OWN = [...REQUIRED, 'usernameKey', 'passwordKey'] as const;
const SETTINGS = [
  ...OWN,
  ...IDENTITY_SETTINGS,
] as const satisfies readonly (keyof DynamicAuthAwsSecretsManager)[];
const PACKAGES = [SECRETS_CLIENT, PROVIDERS];
/** How long a secret is used before it is read again. */
const REUSE_MS = 15 * 60_000;
const ATTEMPTS = 2;
const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** AWS Secrets Manager: user and password from a secret, which is read again when it is 15 min old or the server rejects it. */
export const awsSecretsManager: AuthBackend<DynamicAuthAwsSecretsManager> = {
  name: NAME,
  label: 'Secrets Manager',

  packages: () => PACKAGES,

  check(settings, path) {
    for (const name of OWN) checkText(settings[name], `${path}.${name}`);
    for (const name of OWN) {
      const isNeeded = (REQUIRED as readonly string[]).includes(name) || settings[name] !== undefined;
      if (isNeeded) checkRequired(settings[name], `${path}.${name}`);
    }
    if (!isRegion(settings['region'])) {
      throw new ConfigError(`${path}.region must look like one, such as us-east-1`);
    }
    checkIdentity(settings, path);
    refuseUnknown(settings, SETTINGS, path);
  },

  issuer(settings) {
    const { secretId, region } = settings;
    const credentials = awsCredentialsSource(NAME, settings);
    return {
      source: Object.freeze({
        provider: NAME,
        region,
        hint: `the server rejected the login with the secret ${secretId}: check that its user and password are those of the database, and that a rotation has ended`,
        credentials: [credentials],
        rejected: () => credentials.rejected(),
      }),
      reused: true,
      issue: (_target, { signal }) => readLogin(settings, credentials, signal),
    };
  },
};

/** The login in a secret as it is now; throws AuthError, also when the signal is aborted. */
export async function readLogin(
  settings: DynamicAuthAwsSecretsManager,
  source: AwsCredentialsSource,
  signal: AbortSignal,
): Promise<HeldLogin & { readonly user: string }> {
  const { secretId, region, usernameKey = 'username', passwordKey = 'password' } = settings;
  return await useSdk(
    {
      backend: NAME,
      packages: PACKAGES,
      load: () => Promise.all([SECRETS_CLIENT.load(), PROVIDERS.load()]),
      failure: `failed to read the secret ${secretId}`,
      async use([{ SecretsManagerClient, GetSecretValueCommand }, providers]) {
        const credentials = await source.get(providers, region);
        const client = new SecretsManagerClient({
          // A copy: the SDK writes into it.
          ...{ region, credentials: { ...credentials }, maxAttempts: ATTEMPTS },
          requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
        });
        try {
          const command = new GetSecretValueCommand({ SecretId: secretId });
          const answer = await client.send(command, { abortSignal: signal }).catch(rethrowPlain);
          const fields = parse(answer);
          return {
            user: textAt(fields, usernameKey),
            password: textAt(fields, passwordKey),
            reuseMs: REUSE_MS,
          };
        } finally {
          client.destroy();
        }
      },
    },
    signal,
  );
}

/** The SDK's errors hold the request with its session token and the answer with the secret. */
function rethrowPlain(error: unknown): never {
  throw plainError(error, errorText(error));
}

/** The fields of a secret; errors quote nothing of it. */
function parse({ SecretString: secret, SecretBinary: bytes }: GetSecretValueResponse): object {
  if (bytes !== undefined) throw new Error('it is binary, and not a text');
  if (typeof secret !== 'string') throw new Error('the answer holds no secret');
  let value: unknown;
  try {
    value = JSON.parse(secret);
  } catch {
    throw new Error('it is not JSON');
  }
  if (!isObject(value) || Array.isArray(value)) throw new Error('it is not a JSON object');
  return value;
}

function textAt(fields: object, key: string): string {
  const value: unknown = Object.hasOwn(fields, key) ? (fields as Record<string, unknown>)[key] : undefined;
  if (value === undefined) throw new Error(`it has no key ${key}`);
  if (typeof value !== 'string') throw new Error(`its key ${key} is not a text`);
  if (value === '') throw new Error(`its key ${key} is empty`);
  return value;
}
