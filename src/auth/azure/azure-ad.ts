import { checkText, refuseUnknown } from '../../settings/checks.js';
import { ConfigError } from '../../errors.js';
import type { AuthBackend } from '../backend.js';
import { AZURE_AD as NAME, findEntraToken } from './find-token.js';
import { AZURE_IDENTITY } from './sdk.js';

/** Logs in with tokens of Microsoft Entra ID, from the sources that DefaultAzureCredential supports. */
export interface DynamicAuthAzureAd {
  /**
   * Client id of the user-assigned managed identity or workload identity; default the value of AZURE_CLIENT_ID, else
   * the system-assigned identity.
   */
  readonly clientId?: string | undefined;
  /**
   * Scope of the tokens; default `https://ossrdbms-aad.database.windows.net/.default`, the one of the public cloud;
   * other clouds have their own.
   */
  readonly scope?: string | undefined;
}

const SETTINGS = ['clientId', 'scope'] as const satisfies readonly (keyof DynamicAuthAzureAd)[];
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
