import { untilAborted } from '../../deadline.js';
import { checkRequired, checkText, refuseUnknown } from '../../settings/checks.js';
import type { AuthBackend, LoginTarget } from '../backend.js';
import { authFailure } from '../failure.js';
import { requirePackages } from '../packages.js';
import {
  awsCredentials,
  awsCredentialsRejected,
  awsCredentialsSource,
  isImdsFailure,
} from './credentials.js';
import { describeSigned, signedHost, urlHost } from './endpoint.js';
import { configuredAwsRegion, DETECT_REGION, NO_REGION, resolveAwsRegion } from './region.js';
import { AWS_SDK_PACKAGES, IMDS_PACKAGE, loadAwsSdk, type AwsSdk } from './sdk.js';

/** Logs in with tokens of AWS RDS IAM. */
export interface DynamicAuthAwsRdsIam {
  /** The region the tokens are signed for; `"detect"` asks the instance metadata service. */
  readonly region: string;
}

const NAME = 'awsRdsIam';
const SETTINGS = ['region'] as const satisfies readonly (keyof DynamicAuthAwsRdsIam)[];
const LOADING = 'failed to load AWS config';
const BUILDING = 'failed to build authentication token';
const REJECTED_TOKEN =
  'the server rejected the token: check the clock, the IAM policy (rds-db:connect for this user) and that the user has the role rds_iam';

/** RDS and Aurora with IAM authentication: the password is a presigned request that the server verifies, valid for 15 min. */
export const awsRdsIam: AuthBackend<DynamicAuthAwsRdsIam> = {
  name: NAME,
  label: 'RDS IAM',
  example: true,

  packages: ({ region }) =>
    region === DETECT_REGION ? [...AWS_SDK_PACKAGES, IMDS_PACKAGE] : AWS_SDK_PACKAGES,

  check(settings, path) {
    for (const name of SETTINGS) {
      checkRequired(settings[name], `${path}.${name}`);
      checkText(settings[name], `${path}.${name}`);
    }
    refuseUnknown(settings, SETTINGS, path);
  },

  incomplete: ({ region }) => (region === undefined || region === '' ? NO_REGION : undefined),

  unresolved: ({ region }) => (region === DETECT_REGION ? `region "${DETECT_REGION}"` : undefined),

  async resolve({ region }, signal) {
    if (signal.aborted) throw authFailure(NAME, LOADING, signal.reason);
    return { region: await resolveAwsRegion(NAME, region, signal) };
  },

  issuer(settings) {
    const region = configuredAwsRegion(NAME, settings.region);
    return {
      source: Object.freeze({
        provider: NAME,
        region,
        hint: REJECTED_TOKEN,
        credentials: [awsCredentialsSource()],
        rejected: awsCredentialsRejected,
      }),
      hint: (target) => `${REJECTED_TOKEN}; it was ${describeSigned(target, region)}`,
      reused: false,
      issue: (target, { signal }) => issueToken(target, region, signal),
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
    if (progress.step === LOADING && !signal.aborted) await requirePackages(NAME, AWS_SDK_PACKAGES);
    throw authFailure(NAME, progress.step + circumstance(cause), cause);
  }
}

async function sign(sdk: AwsSdk, { host, port, user }: LoginTarget, region: string): Promise<string> {
  // Credentials rather than their provider: given a provider, the Signer forces a refresh whenever less than
  // 15 minutes are left. The memo renews them too, and limits how often.
  const credentials = await awsCredentials(sdk, NAME, region);
  const hostname = urlHost(signedHost(host));
  const signer = new sdk.Signer({ hostname, port, username: user, region, credentials });
  const token: unknown = await signer.getAuthToken();
  if (typeof token !== 'string' || token === '') throw new Error('the signer returned no token');
  return token;
}

/** What the SDK's error does not say. */
function circumstance(cause: unknown): string {
  if (isImdsFailure(cause)) return ': no credentials from IMDS';
  // The SDK reads its files before it asks a metadata service or STS, and looks for them in the home folder.
  const homeless = (cause as { syscall?: unknown } | null)?.syscall === 'uv_os_homedir';
  return homeless
    ? ': the AWS SDK looks for a home folder, and this user has none: set HOME, to / for instance'
    : '';
}
