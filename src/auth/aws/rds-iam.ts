import { checkRequired, checkText, refuseUnknown } from '../../settings/checks.js';
import type { AuthBackend, LoginTarget } from '../backend.js';
import { authFailure } from '../failure.js';
import { awsCredentialsSource, type AwsCredentialsSource } from './credentials.js';
import { describeSigned, regionOfHost, signedHost, urlHost } from './endpoint.js';
import { checkIdentity, IDENTITY_SETTINGS, type AwsIdentity } from './identity.js';
import {
  configuredAwsRegion,
  DETECT_REGION,
  HOST_REGION,
  NO_REGION,
  resolveAwsRegion,
  unknownRegion,
} from './region.js';
import { AWS_SDK_PACKAGES, IMDS_PACKAGE, loadAwsSdk, type AwsSdk } from './sdk.js';
import { LOADING, useSdk } from './use-sdk.js';

/** Logs in with tokens of AWS RDS IAM. */
export interface DynamicAuthAwsRdsIam extends AwsIdentity {
  /**
   * The region the tokens are signed for. `"detect"` reads it from the instance metadata service; `"host"` reads it
   * from the name of the RDS endpoint that is dialled.
   */
  readonly region: string;
}

const NAME = 'awsRdsIam';
const SETTINGS = ['region', ...IDENTITY_SETTINGS] as const satisfies readonly (keyof DynamicAuthAwsRdsIam)[];
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
    checkRequired(settings['region'], `${path}.region`);
    checkText(settings['region'], `${path}.region`);
    checkIdentity(settings, path);
    refuseUnknown(settings, SETTINGS, path);
  },

  incomplete: ({ region }) => (region === undefined || region === '' ? NO_REGION : undefined),

  unresolved: ({ region }) => (region === DETECT_REGION ? `region "${DETECT_REGION}"` : undefined),

  async resolve(settings, signal) {
    if (signal.aborted) throw authFailure(NAME, LOADING, signal.reason);
    return { ...settings, region: await resolveAwsRegion(NAME, settings.region, signal) };
  },

  issuer(settings) {
    const region = configuredAwsRegion(NAME, settings.region);
    const credentials = awsCredentialsSource(NAME, settings);
    const regionAt = ({ host }: LoginTarget): string | undefined =>
      region === HOST_REGION ? regionOfHost(host) : region;
    return {
      source: Object.freeze({
        provider: NAME,
        ...(region !== HOST_REGION && { region }),
        hint: REJECTED_TOKEN,
        credentials: [credentials],
        rejected: () => credentials.rejected(),
      }),
      region: regionAt,
      hint: (target) =>
        `${REJECTED_TOKEN}; it was ${describeSigned(target, regionAt(target) ?? 'no region')}`,
      checkHost(host) {
        if (region === HOST_REGION && regionOfHost(host) === undefined) unknownRegion(NAME, host);
      },
      reused: false,
      issue: async (target, { signal }) =>
        issueToken(target, regionAt(target) ?? unknownRegion(NAME, target.host), credentials, signal),
    };
  },
};

async function issueToken(
  target: LoginTarget,
  region: string,
  credentials: AwsCredentialsSource,
  signal: AbortSignal,
): Promise<string> {
  return await useSdk(
    {
      backend: NAME,
      packages: AWS_SDK_PACKAGES,
      load: loadAwsSdk,
      failure: 'failed to build authentication token',
      use: (sdk) => sign(sdk, target, region, credentials),
    },
    signal,
  );
}

async function sign(
  sdk: AwsSdk,
  { host, port, user }: LoginTarget,
  region: string,
  source: AwsCredentialsSource,
): Promise<string> {
  // Credentials rather than their provider: given a provider, the Signer forces a refresh whenever less than
  // 15 minutes are left. The memo renews them too, and limits how often.
  const credentials = await source.get(sdk, region);
  const hostname = urlHost(signedHost(host));
  const signer = new sdk.Signer({ hostname, port, username: user, region, credentials });
  const token: unknown = await signer.getAuthToken();
  if (typeof token !== 'string' || token === '') throw new Error('the signer returned no token');
  return token;
}
