import type { AuthClient } from 'google-auth-library';
import { untilAborted, withTimeout } from '../../deadline.js';
import { errorText, property } from '../../foreign-error.js';
import { plainError } from '../plain-error.js';
import type { GoogleAuthLibrary } from './sdk.js';

/** The metadata server is on the same machine, and the library waits for it without end where it knows that it runs on Google Cloud. */
const METADATA_TIMEOUT_MS = 7_000;
/** Keeps the library from asking gcloud and the metadata server which project this is. */
const NO_PROJECT = 'unused';

/** An access token and the time it ends, if the library says. */
export interface AccessToken {
  readonly password: string;
  readonly expiresAt: Date | undefined;
}

/**
 * Finds the application default credentials; rejects with the library's error. They are looked for each time: a client that
 * is kept joins a request that hangs, and does not notice that a key file was replaced.
 */
export async function defaultClient(sdk: GoogleAuthLibrary, scope: string): Promise<AuthClient> {
  const auth = new sdk.GoogleAuth({ scopes: scope, projectId: NO_PROJECT });
  try {
    return await auth.getClient();
  } catch (error) {
    // The library would remember for good that no metadata server answered.
    sdk.gcpMetadata.resetIsAvailableCache();
    throw error;
  }
}

/** Whether the client asks the metadata server. */
export function asksMetadataServer(sdk: GoogleAuthLibrary, client: AuthClient): boolean {
  return client instanceof sdk.Compute;
}

/** A new access token of the client; rejects with the library's error, or one that says that there is none. */
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

/** The library's error as it may be shown. */
export function googleError(error: unknown): Error {
  return plainError(error, reasonOf(error));
}

function reasonOf(error: unknown): string {
  // The library adds fields to what it takes for a parsed answer, and JavaScript quotes the text in its place.
  if (error instanceof TypeError && !('cause' in error)) return 'the answer could not be parsed';
  const status = property(property(error, 'response'), 'status');
  if (typeof status !== 'number') return errorText(error);
  return [`HTTP ${status}`, ...saidBy(property(property(error, 'response'), 'data'))].join(': ');
}

/** What an answer of Google's says of an error; any other body is not repeated. */
function saidBy(data: unknown): string[] {
  const error = property(data, 'error');
  const said = typeof error === 'object' ? property(error, 'message') : error;
  return [said, property(data, 'error_description')].filter((text) => typeof text === 'string');
}
