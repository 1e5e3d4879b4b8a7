import type { AuthClient } from 'google-auth-library';
import { untilAborted, withTimeout } from '../../deadline.js';
import { errorText, property } from '../../foreign-error.js';
import { plainError } from '../plain-error.js';
import type { GoogleAuthLibrary } from './sdk.js';

/** The metadata server is on the same machine; once the library has detected Google Cloud, it waits indefinitely. */
const METADATA_TIMEOUT_MS = 7_000;
/** Keeps the library from looking up the project with gcloud and the metadata server. */
const NO_PROJECT = 'unused';

/** An access token and its expiry, if the library reports one. */
export interface AccessToken {
  readonly password: string;
  readonly expiresAt: Date | undefined;
}

/**
 * Finds the application default credentials; rejects with the library's error. It searches each time: a cached client
 * would join a request that hangs, and would not notice that a key file was replaced.
 */
export async function defaultClient(sdk: GoogleAuthLibrary, scope: string): Promise<AuthClient> {
  const auth = new sdk.GoogleAuth({ scopes: scope, projectId: NO_PROJECT });
  try {
    return await auth.getClient();
  } catch (error) {
    // Otherwise the library would remember permanently that no metadata server answered.
    sdk.gcpMetadata.resetIsAvailableCache();
    throw error;
  }
}

/** Whether the client gets its tokens from the metadata server. */
export function asksMetadataServer(sdk: GoogleAuthLibrary, client: AuthClient): boolean {
  return client instanceof sdk.Compute;
}

/** Gets a new access token from the client; rejects with the library's error, or if the answer holds no token. */
export async function accessToken(
  sdk: GoogleAuthLibrary,
  client: AuthClient,
  signal: AbortSignal,
): Promise<AccessToken> {
  const asked = async (): Promise<AccessToken> => {
    const { token } = await client.getAccessToken();
    if (typeof token !== 'string' || token === '') throw new Error('the answer holds no access token');
    const endsAt = client.credentials.expiry_date;
    return { password: token, expiresAt: Number.isFinite(endsAt) ? new Date(endsAt as number) : undefined };
  };
  if (!asksMetadataServer(sdk, client)) return await asked();
  return await withTimeout(METADATA_TIMEOUT_MS, signal, (limit) => untilAborted(asked(), limit));
}

/** The library's error, safe to show. */
export function googleError(error: unknown): Error {
  return plainError(error, reasonOf(error));
}

function reasonOf(error: unknown): string {
  // The library adds fields to an answer that it believes is parsed; if that is still text, the TypeError quotes it.
  if (error instanceof TypeError && !('cause' in error)) return 'the answer could not be parsed';
  const status = property(property(error, 'response'), 'status');
  if (typeof status !== 'number') return errorText(error);
  return [`HTTP ${status}`, ...saidBy(property(property(error, 'response'), 'data'))].join(': ');
}

/** The text of an error in Google's format; any other body is not quoted. */
function saidBy(data: unknown): string[] {
  const error = property(data, 'error');
  const said = typeof error === 'object' ? property(error, 'message') : error;
  return [said, property(data, 'error_description')].filter((text) => typeof text === 'string');
}
