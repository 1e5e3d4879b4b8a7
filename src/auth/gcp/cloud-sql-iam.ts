import type { AuthClient } from 'google-auth-library';
import { untilAborted } from '../../deadline.js';
import { property } from '../../foreign-error.js';
import { checkOneOf, optional, refuseUnknown } from '../../settings/checks.js';
import type { AuthBackend, LoginTarget } from '../backend.js';
import { authFailure } from '../failure.js';
import { requirePackages } from '../packages.js';
import {
  accessToken,
  asksMetadataServer,
  defaultClient,
  googleError,
  type AccessToken,
} from './access-token.js';
import { PRODUCTS, withoutSuffix, type Product } from './products.js';
import { GOOGLE_AUTH, type GoogleAuthLibrary } from './sdk.js';

/** Logs in with access tokens of Google Cloud, from application default credentials. */
export interface DynamicAuthGcpCloudSqlIam {
  /** The service that the database belongs to, which decides the scope of the tokens; default `cloudsql`. */
  readonly product?: 'cloudsql' | 'alloydb' | undefined;
}

const NAME = 'gcpCloudSqlIam';
const checkProduct = optional(checkOneOf(Object.keys(PRODUCTS)));
const LOADING = 'failed to load GCP default credentials';
const ACQUIRING = 'failed to acquire GCP access token';
const METADATA_SERVER = ': metadata server';
const NOTHING_FOUND = ': no credentials file, and no answer from the metadata server';

/** Cloud SQL and AlloyDB with IAM database authentication: the password is an OAuth access token. */
export const gcpCloudSqlIam: AuthBackend<DynamicAuthGcpCloudSqlIam> = {
  name: NAME,
  label: 'Google Cloud IAM',
  example: true,

  packages: () => [GOOGLE_AUTH],

  check(settings, path) {
    checkProduct(settings['product'], `${path}.product`);
    refuseUnknown(settings, ['product'], path);
  },

  issuer({ product = 'cloudsql' }) {
    const { rejected } = PRODUCTS[product];
    return {
      source: Object.freeze({ provider: NAME, hint: rejected }),
      reused: true,
      hint: ({ user }: LoginTarget) => {
        const name = withoutSuffix(user);
        return name === user ? rejected : `the database user of a service account is ${name}; ${rejected}`;
      },
      issue: async (_, { signal }) => (await findAccessToken(product, signal)).token,
    };
  },
};

/** The application default credentials and a token of theirs. */
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
    if (signal.aborted) throw authFailure(NAME, progress.step, cause);
    if (progress.step === LOADING) await requirePackages(NAME, [GOOGLE_AUTH]);
    const searched = isNothingFound(cause) ? NOTHING_FOUND : '';
    throw authFailure(NAME, progress.step + searched, googleError(cause));
  }
}

/** Whether an error says that there are no application default credentials. */
export function isNothingFound(error: unknown): boolean {
  return /Could not load the default credentials/.test(String(property(error, 'message')));
}
