import { isIPv6 } from 'node:net';
import { untilAborted } from '../../deadline.js';
import { awsCredentials, awsCredentialsRejected, isImdsFailure } from './credentials.js';
import { DETECT_REGION, IMDS_PACKAGE, resolveAwsRegion } from './region.js';
import { AWS_SDK_PACKAGES, loadAwsSdk, type AwsSdk } from './sdk.js';
import type { AuthBackend, BackendSettings, LoginTarget, TokenIssuer } from '../backend.js';
import { authFailure } from '../failure.js';
import { requirePackages } from '../packages.js';

const NAME = 'awsRdsIam';
const LOADING = 'failed to load AWS config';
const BUILDING = 'failed to build authentication token';

/** What to check first when RDS rejects a login with a token. */
export const RDS_IAM_HINT =
  'the server rejected the token: check the clock, the IAM policy (rds-db:connect for this user) and that the user has the role rds_iam';

/** RDS and Aurora with IAM authentication: the password is a presigned request that the server verifies, valid for 15 min. */
export const awsRdsIam: AuthBackend = {
  name: NAME,

  packages({ region }: BackendSettings): readonly string[] {
    return region === DETECT_REGION ? [...AWS_SDK_PACKAGES, IMDS_PACKAGE] : AWS_SDK_PACKAGES;
  },

  async prepare(settings: BackendSettings, signal: AbortSignal): Promise<TokenIssuer> {
    if (signal.aborted) throw authFailure(NAME, LOADING, signal.reason);
    const region = await resolveAwsRegion(NAME, settings['region'], signal);
    return {
      source: Object.freeze({ provider: NAME, region, hint: RDS_IAM_HINT, rejected: awsCredentialsRejected }),
      issue: (target, issueSignal) => issueToken(target, region, issueSignal),
    };
  },
};

async function issueToken(target: LoginTarget, region: string, signal: AbortSignal): Promise<string> {
  const progress = { step: LOADING };
  const steps = async (): Promise<string> => {
    const sdk = await loadAwsSdk();
    progress.step = BUILDING;
    return await sign(sdk, target, region);
  };
  try {
    signal.throwIfAborted();
    return await untilAborted(steps(), signal);
  } catch (cause) {
    if (progress.step === LOADING && !signal.aborted) requirePackages(NAME, AWS_SDK_PACKAGES);
    const source = isImdsFailure(cause) ? ': no credentials from IMDS' : '';
    throw authFailure(NAME, progress.step + source, cause);
  }
}

async function sign(sdk: AwsSdk, { host, port, user }: LoginTarget, region: string): Promise<string> {
  // Credentials rather than their provider: given a provider, the Signer asks it for a forced refresh whenever under
  // 15 minutes are left, which the memo sees to with a limit of its own.
  const credentials = await awsCredentials(sdk, NAME, region);
  const signer = new sdk.Signer({ hostname: urlHost(host), port, username: user, region, credentials });
  const token: unknown = await signer.getAuthToken();
  if (typeof token !== 'string' || token === '') throw new Error('the signer returned no token');
  return token;
}

// The Signer writes the host as it is given, and `::1:5432` names no host and port that could be told apart again.
function urlHost(host: string): string {
  return host.includes(':') && isIPv6(host) ? `[${host}]` : host;
}
