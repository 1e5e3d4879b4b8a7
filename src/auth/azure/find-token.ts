import { untilAborted } from '../../deadline.js';
import { authFailure } from '../failure.js';
import { requirePackages } from '../packages.js';
import { credentialFor, entraToken, hasIdentityEndpoint, type EntraToken } from './entra-token.js';
import { azureError } from './reason.js';
import { AZURE_IDENTITY } from './sdk.js';

/** The name of the backend, for errors. */
export const AZURE_AD = 'azureAd';
/** The scope of Azure Database for PostgreSQL in the public cloud. */
const DEFAULT_SCOPE = 'https://ossrdbms-aad.database.windows.net/.default';
const CONSTRUCTING = 'failed to construct Azure credential';
const ACQUIRING = 'failed to acquire Entra ID token';
const ENDPOINT = ': managed identity endpoint (IDENTITY_ENDPOINT)';

/** Gets a token from the credential for these settings; throws AuthError. */
export async function findEntraToken(
  {
    clientId,
    scope = DEFAULT_SCOPE,
  }: { readonly clientId?: string | undefined; readonly scope?: string | undefined },
  signal: AbortSignal,
): Promise<EntraToken> {
  const progress = { step: CONSTRUCTING };
  const steps = async (): Promise<EntraToken> => {
    const credential = credentialFor(await AZURE_IDENTITY.load(), clientId);
    progress.step = hasIdentityEndpoint() ? ACQUIRING + ENDPOINT : ACQUIRING;
    return await entraToken(credential, scope, signal);
  };
  try {
    signal.throwIfAborted();
    return await untilAborted(steps(), signal);
  } catch (cause) {
    if (signal.aborted) throw authFailure(AZURE_AD, progress.step, cause);
    if (progress.step === CONSTRUCTING) await requirePackages(AZURE_AD, [AZURE_IDENTITY]);
    throw authFailure(AZURE_AD, progress.step, azureError(cause));
  }
}
