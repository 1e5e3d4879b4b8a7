import type { AuthClient } from 'google-auth-library';
import { untilAborted } from '../../deadline.js';
import { property } from '../../foreign-error.js';
import { authFailure } from '../failure.js';
import { requirePackages } from '../packages.js';
import {
  accessToken,
  asksMetadataServer,
  defaultClient,
  googleError,
  type AccessToken,
} from './access-token.js';
import { PRODUCTS, type Product } from './products.js';
import { GOOGLE_AUTH, type GoogleAuthLibrary } from './sdk.js';

/** The name of the backend, for errors. */
export const CLOUD_SQL_IAM = 'gcpCloudSqlIam';
const LOADING = 'failed to load GCP default credentials';
const ACQUIRING = 'failed to acquire GCP access token';
const METADATA_SERVER = ': metadata server';
const NOTHING_FOUND = ': no credentials file, and no answer from the metadata server';

/** The application default credentials and a token from them. */
export interface FoundToken {
  readonly sdk: GoogleAuthLibrary;
  readonly client: AuthClient;
  readonly token: AccessToken;
}

/** Finds the application default credentials and gets a new token with this product's scope; throws AuthError. */
export async function findAccessToken(product: Product, signal: AbortSignal): Promise<FoundToken> {
  const progress = { step: LOADING };
  const steps = async (): Promise<FoundToken> => {
    const sdk = await GOOGLE_AUTH.load();
    const client = await defaultClient(sdk, PRODUCTS[product].scope);
    progress.step = asksMetadataServer(sdk, client) ? ACQUIRING + METADATA_SERVER : ACQUIRING;
    return { sdk, client, token: await accessToken(sdk, client, signal) };
  };
  try {
    signal.throwIfAborted();
    return await untilAborted(steps(), signal);
  } catch (cause) {
    if (signal.aborted) throw authFailure(CLOUD_SQL_IAM, progress.step, cause);
    if (progress.step === LOADING) await requirePackages(CLOUD_SQL_IAM, [GOOGLE_AUTH]);
    const searched = isNothingFound(cause) ? NOTHING_FOUND : '';
    throw authFailure(CLOUD_SQL_IAM, progress.step + searched, googleError(cause));
  }
}

/** Whether an error means that there are no application default credentials. */
export function isNothingFound(error: unknown): boolean {
  return /Could not load the default credentials/.test(String(property(error, 'message')));
}
