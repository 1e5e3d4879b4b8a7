import { untilAborted, withTimeout } from '../../../deadline.js';
import { failed, ok, warning, type Outcome } from '../../../doctor/report.js';
import { askService } from '../../../doctor/service-answer.js';
import type { Session } from '../../../doctor/session.js';
import { authFailure } from '../../failure.js';
import { awsCredentialsSource } from '../credentials.js';
import type { AwsCredentials, AwsIdentity } from '../identity.js';
import { PROVIDERS } from '../sdk.js';
import {
  configuredSources,
  containerEndpoint,
  findSource,
  instanceRole,
  maskedKeyId,
  type FoundSource,
} from './source.js';

const SOON_MS = 15 * 60_000;
const PROBE_MS = 150;

/** The AWS credentials to look for, and their use. */
export interface Sought {
  /** The name of the backend that uses them. */
  readonly backend: string;
  readonly identity: AwsIdentity;
  /** The region in which STS is called. */
  readonly region: string;
  /** The error text when there are none: `failed to …`. */
  readonly failure: string;
}

/** Finds the AWS credentials of a backend, and reports their source, key and expiry. */
export async function checkAwsCredentials(
  session: Session,
  signal: AbortSignal,
  sought: Sought,
): Promise<Outcome> {
  const { backend, identity, region } = sought;
  const { env } = session;
  try {
    const sdk = await PROVIDERS.load();
    const found = await untilAborted(awsCredentialsSource(backend, identity).get(sdk, region), signal);
    session.text.hide(found.secretAccessKey);
    session.text.hide(found.sessionToken);
    const source = await untilAborted(findSource(sdk, identity, region, env), signal).catch(() => UNKNOWN);
    session.set('credentials', { service: source.service, expireAtMs: found.expiration?.getTime() });
    const role =
      identity.roleArn ??
      (source.name === 'instance metadata' ? await instanceRole(signal) : env['AWS_ROLE_ARN'] || undefined);
    return describe(found, source, role);
  } catch (error) {
    return await failure(session, sought, signal.aborted ? signal.reason : error);
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
    // Only a warning: the clock or the variable may be wrong, and the login shows whether the credentials work.
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

async function failure(session: Session, sought: Sought, error: unknown): Promise<Outcome> {
  const { env } = session;
  const said = session.text.ofError(authFailure(sought.backend, sought.failure, error));
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

/** Finds out why a container's endpoint returns no credentials, because the SDK's error does not include the reason. */
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

function duration(ms: number): string {
  const whole = Math.round(ms / 60_000);
  return whole < 120 ? `${whole} min` : `${Math.round(whole / 60)} h`;
}
