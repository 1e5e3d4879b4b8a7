import type { AuthClient } from 'google-auth-library';
import { untilAborted } from '../../../deadline.js';
import type { DoctorAddition, Explanation, FailedLogin } from '../../../doctor/addition.js';
import { failed, ok, warning, type Outcome } from '../../../doctor/report.js';
import type { Session } from '../../../doctor/session.js';
import { property } from '../../../foreign-error.js';
import { asksMetadataServer } from '../access-token.js';
import { findAccessToken, isNothingFound } from '../find-token.js';
import { withoutSuffix } from '../products.js';
import type { GoogleAuthLibrary } from '../sdk.js';

const FLAG = 'gcp-cloud-sql-iam';
const PRODUCT_FLAG = 'gcp-product';
const KEY_FILE = 'GOOGLE_APPLICATION_CREDENTIALS';

/** What Google Cloud's IAM authentication adds to the doctor. */
export const gcpDoctor: DoctorAddition = {
  flags: [
    { name: FLAG, type: 'boolean', usage: `  --${FLAG} log in with access tokens of Google Cloud\n` },
    {
      name: PRODUCT_FLAG,
      type: 'string',
      usage: `  --${PRODUCT_FLAG} <name>\n                      the database is of cloudsql or alloydb; default cloudsql\n`,
    },
  ],
  settings: (given) =>
    given[FLAG] === true || given[PRODUCT_FLAG] !== undefined ? { product: given[PRODUCT_FLAG] } : undefined,
  checks: { credentials: checkGoogleCredentials },
  explainRejection,
  tokens: 'access tokens',
};

/** Finds the application default credentials and their identity, and gets a token. */
export async function checkGoogleCredentials(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { user, dynamicAuth } = session.get('config');
  try {
    const { sdk, client, token } = await findAccessToken(
      dynamicAuth?.gcpCloudSqlIam?.product ?? 'cloudsql',
      signal,
    );
    session.text.hide(token.password);
    session.set('credentials', { service: undefined, expireAtMs: token.expiresAt?.getTime() });
    const identity = await untilAborted(identityOf(sdk, client), signal).catch(() => undefined);
    const source = sourceOf(sdk, client, session.env);
    const facts = { source, identity, expires_at: token.expiresAt?.toJSON() };
    const ends = token.expiresAt ? `, token until ${token.expiresAt.toISOString()}` : '';
    const text = `from ${source}: ${identity ?? 'an identity that cannot be read'}${ends}`;
    if (identity === undefined || withoutSuffix(identity) === user) return ok(text, { facts });
    const name = withoutSuffix(identity);
    return warning(
      'user_mismatch',
      `${text}; it logs in as ${name}, not as ${user}`,
      `give the database user of these credentials: --user ${name}`,
      facts,
    );
  } catch (error) {
    const missing = isNothingFound(error);
    return failed(
      missing ? 'credentials_missing' : 'credentials_unavailable',
      session.text.ofError(error),
      missing
        ? `run this where a service account is attached, name a credentials file in ${KEY_FILE}, or run gcloud auth application-default login`
        : 'look at what should give them: the metadata server, or the credentials file',
      { tried: session.env[KEY_FILE] ? [KEY_FILE] : [] },
    );
  }
}

function sourceOf(sdk: GoogleAuthLibrary, client: AuthClient, env: Readonly<NodeJS.ProcessEnv>): string {
  if (asksMetadataServer(sdk, client)) return 'metadata server';
  const file = env[KEY_FILE] ? KEY_FILE : "gcloud's credentials file";
  return `${kindOf(sdk, client)} (${file})`;
}

function kindOf(sdk: GoogleAuthLibrary, client: AuthClient): string {
  if (client instanceof sdk.JWT) return 'service account key';
  if (client instanceof sdk.Impersonated) return 'impersonated service account';
  if (client instanceof sdk.UserRefreshClient) return 'user credentials';
  return 'federated identity';
}

/** The email address of the principal; undefined if the credentials do not contain it. */
async function identityOf(sdk: GoogleAuthLibrary, client: AuthClient): Promise<string | undefined> {
  const found: unknown = asksMetadataServer(sdk, client)
    ? await sdk.gcpMetadata.instance('service-accounts/default/email')
    : client instanceof sdk.Impersonated
      ? client.getTargetPrincipal()
      : client instanceof sdk.BaseExternalAccountClient
        ? client.getServiceAccountEmail()
        : property(client, 'email');
  return typeof found === 'string' && /^[\w.+-]+@[\w.-]+$/.test(found) ? found : undefined;
}

function explainRejection(state: string, { provider, user }: FailedLogin): Explanation | undefined {
  if (provider === undefined || state !== '28P01') return undefined;
  return [
    'token_rejected',
    `the server took the token for a password: ${user} is not an IAM user of the instance; add it (gcloud sql users create ${withoutSuffix(user)} --type=cloud_iam_service_account)`,
  ];
}
