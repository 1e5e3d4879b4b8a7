import type { GetSecretValueResponse } from '@aws-sdk/client-secrets-manager';
import { errorText } from '../../foreign-error.js';
import { isObject } from '../../settings/checks.js';
import type { HeldLogin } from '../backend.js';
import { plainError } from '../plain-error.js';
import type { AwsCredentialsSource } from './credentials.js';
import { PROVIDERS, SECRETS_CLIENT } from './sdk.js';
import { useSdk } from './use-sdk.js';

/** The name of the backend, for errors. */
export const SECRETS_MANAGER = 'awsSecretsManager';
/** The packages needed to read a secret. */
export const SECRETS_PACKAGES = [SECRETS_CLIENT, PROVIDERS];
/** How long a secret is used before it is read again. */
const REUSE_MS = 15 * 60_000;
const ATTEMPTS = 2;
const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** The secret that holds the login, and its keys. */
interface SecretSettings {
  readonly secretId: string;
  readonly region: string;
  readonly usernameKey?: string | undefined;
  readonly passwordKey?: string | undefined;
}

/** Reads the current login from a secret; throws AuthError, also when the signal is aborted. */
export async function readLogin(
  { secretId, region, usernameKey = 'username', passwordKey = 'password' }: SecretSettings,
  source: AwsCredentialsSource,
  signal: AbortSignal,
): Promise<HeldLogin & { readonly user: string }> {
  return await useSdk(
    {
      backend: SECRETS_MANAGER,
      packages: SECRETS_PACKAGES,
      load: () => Promise.all([SECRETS_CLIENT.load(), PROVIDERS.load()]),
      failure: `failed to read the secret ${secretId}`,
      async use([{ SecretsManagerClient, GetSecretValueCommand }, providers]) {
        const credentials = await source.get(providers, region);
        const client = new SecretsManagerClient({
          // A copy of the credentials, because the SDK modifies the object.
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

/** Rethrows the text alone: the SDK's errors hold the request with its session token and the answer with the secret. */
function rethrowPlain(error: unknown): never {
  throw plainError(error, errorText(error));
}

/** Parses the fields of a secret; its errors quote nothing from the secret. */
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
