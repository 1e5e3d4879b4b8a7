import type { DoctorAddition, Explanation, FailedLogin, GivenFlags } from '../../../doctor/addition.js';
import { failed, ok, warning, type Outcome } from '../../../doctor/report.js';
import type { Session } from '../../../doctor/session.js';
import { findEntraToken } from '../find-token.js';
import { readClaims } from './claims.js';
import { AZURE_SECRETS } from '../reason.js';

const FLAG = 'azure-ad';
const CLIENT_ID_FLAG = 'azure-client-id';
const SCOPE_FLAG = 'azure-scope';
/** The variables that select a source of credentials. */
const SELECTING = [
  'AZURE_TOKEN_CREDENTIALS',
  'AZURE_CLIENT_ID',
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_FEDERATED_TOKEN_FILE',
  'IDENTITY_ENDPOINT',
  'MSI_ENDPOINT',
] as const;

/** What Entra ID authentication adds to the doctor. */
export const azureDoctor: DoctorAddition = {
  flags: [
    { name: FLAG, type: 'boolean', usage: `  --${FLAG}          log in with tokens of Microsoft Entra ID\n` },
    {
      name: CLIENT_ID_FLAG,
      type: 'string',
      usage: `  --${CLIENT_ID_FLAG} <id>\n                      the user-assigned or workload identity to log in as\n`,
    },
    {
      name: SCOPE_FLAG,
      type: 'string',
      usage: `  --${SCOPE_FLAG} <uri> scope of the tokens, in clouds other than the public one\n`,
    },
  ],
  settings,
  secrets: AZURE_SECRETS,
  checks: { credentials: checkEntraCredentials },
  explainRejection,
  tokens: 'Entra ID tokens',
};

function settings(given: GivenFlags): object | undefined {
  const { [FLAG]: asked, [CLIENT_ID_FLAG]: clientId, [SCOPE_FLAG]: scope } = given;
  return asked === true || clientId !== undefined || scope !== undefined ? { clientId, scope } : undefined;
}

/** Gets a token from DefaultAzureCredential and reads its identity. */
export async function checkEntraCredentials(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { user, dynamicAuth } = session.get('config');
  const set = SELECTING.filter((name) => session.env[name]);
  try {
    const { password, expiresAt } = await findEntraToken(dynamicAuth?.azureAd ?? {}, signal);
    session.text.hide(password);
    session.set('credentials', { service: undefined, expireAtMs: expiresAt?.getTime() });
    const { kind = 'unknown', name, clientId } = readClaims(password) ?? {};
    const identity = name ?? clientId;
    const facts = { source: kind, identity, client_id: clientId, expires_at: expiresAt?.toJSON() };
    const ends = expiresAt ? `, token until ${expiresAt.toISOString()}` : '';
    const text = `${kind} ${identity ?? 'that its token does not name'}${ends}`;
    if (name === undefined || name === user) return ok(text, { facts });
    return warning(
      'user_mismatch',
      `${text}; the user is ${user}`,
      `log in as ${name} (--user ${name}), unless ${user} is a group that it belongs to or a role mapped to it`,
      facts,
    );
  } catch (error) {
    return failed(
      set.length === 0 ? 'credentials_missing' : 'credentials_unavailable',
      session.text.ofError(error),
      set.length === 0
        ? 'run this where a managed identity is attached, set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or run az login'
        : `look at what should give them: ${set.join(', ')}`,
      { tried: set },
    );
  }
}

function explainRejection(state: string, { provider, user }: FailedLogin): Explanation | undefined {
  if (provider === undefined || state !== '28P01') return undefined;
  return [
    'token_rejected',
    `the server took the token for a password: ${user} is not a role of an Entra principal; as an Entra administrator run select * from pgaadauth_create_principal('${user.replaceAll("'", "''")}', false, false);`,
  ];
}
