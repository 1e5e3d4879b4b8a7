import { untilAborted, withTimeout } from '../../deadline.js';
import { awsCredentials } from '../../auth/aws/credentials.js';
import { loadAwsSdk } from '../../auth/aws/sdk.js';
import type { AwsCredentials } from '../../auth/credential-memo.js';
import { authFailure } from '../../auth/failure.js';
import { findPassword, passfilePath } from '../../connection/pgpass.js';
import {
  configuredSources,
  containerEndpoint,
  findSource,
  instanceRole,
  maskedKeyId,
  type FoundSource,
} from '../credential-source.js';
import { failed, ok, warning, type Outcome } from '../report.js';
import { askService } from '../service-answer.js';
import type { Session } from '../session.js';
import { BACKEND } from './region.js';

const SOON_MS = 15 * 60_000;

/** Finds what a login would show: a password, or the AWS credentials that sign tokens. */
export async function checkCredentials(session: Session, signal: AbortSignal): Promise<Outcome> {
  const region = session.get('config').dynamicAuth?.awsRdsIam?.region;
  if (region === undefined) return await checkPassword(session);
  const { env } = session;
  try {
    const sdk = await loadAwsSdk();
    const found = await untilAborted(awsCredentials(sdk, BACKEND, region), signal);
    session.text.hide(found.secretAccessKey);
    session.text.hide(found.sessionToken);
    const source = await untilAborted(findSource(sdk, region, env), signal).catch(() => UNKNOWN);
    session.set('credentials', { service: source.service, expireAtMs: found.expiration?.getTime() });
    const role =
      source.name === 'instance metadata' ? await instanceRole(signal) : env['AWS_ROLE_ARN'] || undefined;
    return describe(found, source, role);
  } catch (error) {
    return await failure(session, signal.aborted ? signal.reason : error);
  }
}

const UNKNOWN: FoundSource = { name: 'unknown', service: undefined };

function describe(found: AwsCredentials, { name }: FoundSource, role: string | undefined): Outcome {
  const { accessKeyId, expiration } = found;
  const key = maskedKeyId(accessKeyId);
  const facts = {
    source: name,
    access_key_id: key,
    temporary: found.sessionToken !== undefined,
    expires_at: expiration?.toJSON(),
    ...(role !== undefined && { role }),
  };
  const leftMs = expiration === undefined ? Infinity : expiration.getTime() - Date.now();
  const ends = leftMs > 0 ? `ends in ${duration(leftMs)}` : `ended ${duration(-leftMs)} ago`;
  const text = `from ${name}: key ${key}${role === undefined ? '' : `, role ${role}`}, ${expiration === undefined ? 'long-lived' : ends}`;
  if (leftMs > SOON_MS) return ok(text, { facts });
  if (leftMs <= 0) {
    // A warning, so that the login shows whether that is true: a clock or a variable may be wrong.
    return warning(
      'credentials_expired',
      text,
      "renew them (aws sso login), and look at AWS_CREDENTIAL_EXPIRATION and this machine's clock",
      facts,
    );
  }
  return warning(
    'credentials_expire_soon',
    text,
    'they end before a token would: renew them (aws sso login), or see that their source does',
    facts,
  );
}

async function failure(session: Session, error: unknown): Promise<Outcome> {
  const { env } = session;
  const said = session.text.ofError(authFailure(BACKEND, 'failed to build authentication token', error));
  const configured = configuredSources(env);
  const endpoint = containerEndpoint(env);
  const answer = endpoint === undefined ? '' : `; ${await probe(endpoint, session)}`;
  const facts = { tried: configured };
  if (configured.length === 0) {
    return failed(
      'credentials_missing',
      said,
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (and run aws sso login), or run this where a role is attached (ECS, EKS, EC2, Lambda)',
      facts,
    );
  }
  return failed(
    'credentials_unavailable',
    said + answer,
    `look at what should give them: ${configured.join(', ')}`,
    facts,
  );
}

/** Why a container's endpoint gives nothing, which the SDK does not say. */
async function probe(endpoint: URL, session: Session): Promise<string> {
  const token = session.env['AWS_CONTAINER_AUTHORIZATION_TOKEN'];
  try {
    const { status } = await withTimeout(PROBE_MS, undefined, (limit) =>
      askService(endpoint, { headers: token ? { authorization: token } : {} }, limit),
    );
    return `${endpoint.host} answers HTTP ${status}`;
  } catch (error) {
    return `${endpoint.host}: ${session.text.ofError(error)}`;
  }
}

const PROBE_MS = 150;

async function checkPassword(session: Session): Promise<Outcome> {
  const { host, port, database, user, password } = session.get('config');
  const file = passfilePath(session.env) ?? 'none';
  if (password) return ok('password from PGPASSWORD', { facts: { source: 'PGPASSWORD' } });
  const warnings: string[] = [];
  const found = await findPassword(
    { host, port, database, user },
    { env: session.env, warn: (message) => void warnings.push(message) },
  );
  session.text.hide(found);
  if (found) return ok(`password from ${file}`, { facts: { source: file } });
  const [ignored] = warnings;
  return warning(
    'password_missing',
    ignored === undefined ? `no password: no line of ${file} matches` : `no password: ${file}: ${ignored}`,
    'set PGPASSWORD or add a line to the password file (mode 0600), unless the server asks for none; for RDS IAM give --region',
    { source: null, password_file: file },
  );
}

function duration(ms: number): string {
  const whole = Math.round(ms / 60_000);
  return whole < 120 ? `${whole} min` : `${Math.round(whole / 60)} h`;
}
