import { untilAborted } from '../../deadline.js';
import { checkText, refuseUnknown } from '../../settings/checks.js';
import { ConfigError } from '../../errors.js';
import type { AuthBackend } from '../backend.js';
import { authFailure } from '../failure.js';
import { requirePackages } from '../packages.js';
import { credentialFor, entraToken, hasIdentityEndpoint, type EntraToken } from './entra-token.js';
import { azureError } from './reason.js';
import { AZURE_IDENTITY } from './sdk.js';

/** Logs in with tokens of Microsoft Entra ID, from the sources that DefaultAzureCredential knows. */
export interface DynamicAuthAzureAd {
  /** Client id of the user-assigned managed identity or workload identity; default that of AZURE_CLIENT_ID, else the system-assigned identity. */
  readonly clientId?: string | undefined;
  /** Scope of the tokens; default `https://ossrdbms-aad.database.windows.net/.default`. Other clouds than the public one have their own. */
  readonly scope?: string | undefined;
}

/** The scope of Azure Database for PostgreSQL in the public cloud. */
const DEFAULT_SCOPE = 'https://ossrdbms-aad.database.windows.net/.default';

const NAME = 'azureAd';
const SETTINGS = ['clientId', 'scope'] as const satisfies readonly (keyof DynamicAuthAzureAd)[];
const CONSTRUCTING = 'failed to construct Azure credential';
const ACQUIRING = 'failed to acquire Entra ID token';
const ENDPOINT = ': managed identity endpoint (IDENTITY_ENDPOINT)';
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const REJECTED =
  "the server rejected the Entra ID token: check that Entra authentication is on for the server, and that the user is the role that was made for the token's principal, letter for letter: for a managed identity its name, not its client id (select * from pgaadauth_list_principals(false))";

/** Azure Database for PostgreSQL with Microsoft Entra authentication: the password is an access token. */
export const azureAd: AuthBackend<DynamicAuthAzureAd> = {
  name: NAME,
  label: 'Entra ID',
  example: true,

  packages: () => [AZURE_IDENTITY],

  check(settings, path) {
    for (const name of SETTINGS) {
      checkText(settings[name], `${path}.${name}`);
      if (settings[name] === '') throw new ConfigError(`${path}.${name} must not be empty`);
    }
    refuseUnknown(settings, SETTINGS, path);
  },

  issuer(settings) {
    return {
      source: Object.freeze({ provider: NAME, hint: REJECTED }),
      reused: true,
      hint: ({ user }) =>
        ID.test(user) ? `the user looks like an id, and has to be a name; ${REJECTED}` : REJECTED,
      issue: (_, { signal }) => findEntraToken(settings, signal),
    };
  },
};

/** Gets a token of the credential for these settings; throws AuthError. */
export async function findEntraToken(
  { clientId, scope = DEFAULT_SCOPE }: DynamicAuthAzureAd,
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
    if (signal.aborted) throw authFailure(NAME, progress.step, cause);
    if (progress.step === CONSTRUCTING) await requirePackages(NAME, [AZURE_IDENTITY]);
    throw authFailure(NAME, progress.step, azureError(cause));
  }
}
