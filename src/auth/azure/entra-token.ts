import type { TokenCredential } from '@azure/identity';
import { untilAborted, withTimeout } from '../../deadline.js';
import { sharedByVersion } from '../../process-state.js';
import type { AzureIdentity } from './sdk.js';

/** The endpoint of a managed identity is on the same machine, and the library waits for it indefinitely. */
const ENDPOINT_TIMEOUT_MS = 7_000;
/** The library's own retries would outlast most connection attempts, which are repeated anyway. */
const RETRIES = { maxRetries: 2, retryDelayInMs: 300 } as const;

/** An access token and its expiry. */
export interface EntraToken {
  readonly password: string;
  readonly expiresAt: Date | undefined;
}

// All pools of the process share one credential, because it caches its tokens.
const credentials = sharedByVersion('azureCredentials', () => new Map<string, TokenCredential>());

/** The process's credential for a client id, `undefined` for that of the environment; throws the library's error. */
export function credentialFor(sdk: AzureIdentity, clientId: string | undefined): TokenCredential {
  const key = clientId ?? '';
  let credential = credentials.get(key);
  if (credential === undefined) {
    credential = new sdk.DefaultAzureCredential({
      ...(clientId !== undefined && {
        managedIdentityClientId: clientId,
        workloadIdentityClientId: clientId,
      }),
      retryOptions: RETRIES,
    });
    credentials.set(key, credential);
  }
  return credential;
}

/** Whether the environment names the endpoint of a managed identity, as App Service, Functions and Container Apps do. */
export function hasIdentityEndpoint(): boolean {
  return Boolean(process.env['IDENTITY_ENDPOINT']);
}

/** Gets a token from the credential, which may have cached it; rejects with the library's error or without a token. */
export async function entraToken(
  credential: TokenCredential,
  scope: string,
  signal: AbortSignal,
): Promise<EntraToken> {
  const asked = async (abortSignal: AbortSignal): Promise<EntraToken> => {
    const answer = await credential.getToken(scope, { abortSignal });
    if (!answer || typeof answer.token !== 'string' || answer.token === '') {
      throw new Error('the answer holds no access token');
    }
    const { token, expiresOnTimestamp: endsAt } = answer;
    return { password: token, expiresAt: Number.isFinite(endsAt) ? new Date(endsAt) : undefined };
  };
  if (!hasIdentityEndpoint()) return await asked(signal);
  return await withTimeout(ENDPOINT_TIMEOUT_MS, signal, (limit) => untilAborted(asked(limit), limit));
}
