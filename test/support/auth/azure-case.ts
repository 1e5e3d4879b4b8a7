import { startAzureIdentity, type HttpFault } from '../../../local-rds/index.js';
import { setEnv } from '../environment.js';
import type { BackendCase, SourceFault } from './backend-case.js';

/** A lifetime too short for the library's process-wide token cache. */
const NEVER_KEPT_MS = 240_000;

const FAULTS: Readonly<Partial<Record<SourceFault, HttpFault>>> = {
  down: { reset: true },
  hang: { hang: true },
  late: { delayMs: 3_000 },
  empty: { body: '' },
  'no text': { body: '{"access_token":["canary"],"expires_in":240,"resource":"x","token_type":"Bearer"}' },
  html: { body: '<html>canary</html>' },
  binary: { body: '\u0000\u0001canary\r\n' },
  huge: { body: 'canary'.repeat(500_000) },
};

const SECRET = 'canary-of-the-identity-header';
/** Kept for the whole process, because the library keeps using the first endpoint it found. */
let port = 0;
let made = 0;

/** Tokens of a managed identity from App Service's endpoint. */
export const azureCase: BackendCase = {
  backend: 'azureAd',
  fetches: true,
  faults: {
    down: /IDENTITY_ENDPOINT|timeout/,
    hang: /timeout/,
    late: /timeout/,
    empty: /managed identity endpoint \(IDENTITY_ENDPOINT\): ./,
    'no text': /managed identity endpoint \(IDENTITY_ENDPOINT\): ./,
    html: /managed identity endpoint \(IDENTITY_ENDPOINT\): ./,
    binary: /managed identity endpoint \(IDENTITY_ENDPOINT\): ./,
    huge: /managed identity endpoint \(IDENTITY_ENDPOINT\): ./,
    expired: /the token expired at/,
    'of another user': 'rejected',
  },
  hint: /letter for letter.*pgaadauth_list_principals/,
  refusedSettings: [
    [{ clientId: '' }, '.clientId must not be empty'],
    [{ clientId: 5 }, '.clientId must be a string'],
    [{ scope: '' }, '.scope must not be empty'],
    [{ scope: 'a\nb' }, '.scope must not contain control characters'],
  ],
  packages: ['@azure/identity'],
  settings: {},

  async start(rds) {
    made += 1;
    const user = `identity-${made}`;
    const server = await startAzureIdentity({ port, secret: SECRET, userAssigned: [user] });
    ({ port } = server);
    const clientId = server.userAssigned[0]?.clientId ?? '';
    server.setTokenLifetime(NEVER_KEPT_MS);
    await rds.createUser(user, { verifier: server.verifier() });
    setEnv({ ...server.env, AZURE_TOKEN_CREDENTIALS: 'prod' });
    return {
      user,
      dynamicAuth: { azureAd: { clientId } },
      set(fault) {
        server.set((fault && FAULTS[fault]) ?? {});
        server.setTokenLifetime(fault === 'expired' ? -NEVER_KEPT_MS : NEVER_KEPT_MS);
        server.lieAbout(fault === 'of another user' ? 'somebody' : undefined);
      },
      rotate: () => server.rotate(),
      secrets: () => [SECRET, ...server.issued],
      // Requests that the library repeats for an earlier test reach the same port, so count only this client's.
      fetches: () => server.answersFor(clientId),
      [Symbol.asyncDispose]: () => server.stop(),
    };
  },
};
