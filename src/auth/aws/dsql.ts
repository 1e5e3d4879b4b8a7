import { ConfigError } from '../../errors.js';
import { checkRequired, checkText, refuseUnknown } from '../../settings/checks.js';
import type { AuthBackend, LoginTarget } from '../backend.js';
import { authFailure } from '../failure.js';
import { awsCredentialsSource, type AwsCredentialsSource } from './credentials.js';
import { regionOfCluster, signedHost } from './endpoint.js';
import { checkIdentity, IDENTITY_SETTINGS, type AwsIdentity } from './identity.js';
import { isRegion } from './region.js';
import { DSQL_SIGNER, PROVIDERS } from './sdk.js';
import { useSdk } from './use-sdk.js';

/** Logs in with tokens of Amazon Aurora DSQL. */
export interface DynamicAuthAwsDsql extends AwsIdentity {
  /** The region of the cluster; default the one in the name of the host, `*.dsql.REGION.on.aws`. */
  readonly region?: string | undefined;
}

const NAME = 'awsDsql';
const SETTINGS = ['region', ...IDENTITY_SETTINGS] as const satisfies readonly (keyof DynamicAuthAwsDsql)[];
const PACKAGES = [DSQL_SIGNER, PROVIDERS];
/** The role that every new cluster has; logging in as this role requires a separate IAM permission. */
const ADMIN = 'admin';
const MINUTE_MS = 60_000;
const REJECTED_TOKEN =
  'the server rejected the token: check the clock, the IAM policy (dsql:DbConnect for this cluster, or dsql:DbConnectAdmin for admin) and that the role is granted to this identity (AWS IAM GRANT)';

/** Aurora DSQL: the password is a presigned request that the server verifies, valid for 15 min. */
export const awsDsql: AuthBackend<DynamicAuthAwsDsql> = {
  name: NAME,
  label: 'Aurora DSQL',
  // The server ends sessions after 60 min.
  defaultLifetime: { ms: 55 * MINUTE_MS, jitterMs: 4 * MINUTE_MS },

  packages: () => PACKAGES,

  check(settings, path) {
    const { region } = settings;
    if (region !== undefined) checkRequired(region, `${path}.region`);
    checkText(region, `${path}.region`);
    if (region !== undefined && !isRegion(region)) {
      throw new ConfigError(`${path}.region must look like one, such as us-east-1`);
    }
    checkIdentity(settings, path);
    refuseUnknown(settings, SETTINGS, path);
  },

  issuer(settings) {
    const { region } = settings;
    const credentials = awsCredentialsSource(NAME, settings);
    return {
      source: Object.freeze({
        provider: NAME,
        ...(region !== undefined && { region }),
        hint: REJECTED_TOKEN,
        credentials: [credentials],
        rejected: () => credentials.rejected(),
      }),
      region: ({ host }) => region ?? regionOfCluster(host),
      hint: (target) => `${REJECTED_TOKEN}; it was ${describeSigned(target, region)}`,
      checkHost: (host) => void regionFor(host, region),
      reused: false,
      issue: async (target, { signal }) =>
        issueToken(target, regionFor(target.host, region), credentials, signal),
    };
  },
};

/** The region to sign for; throws AuthError if neither the settings nor the name of the host contains one. */
function regionFor(host: string, configured: string | undefined): string {
  const region = configured ?? regionOfCluster(host);
  if (region !== undefined) return region;
  throw authFailure(
    NAME,
    `the region is not configured, and ${host} is not the name of a cluster, which has it: set region`,
  );
}

async function issueToken(
  { host, user }: LoginTarget,
  region: string,
  source: AwsCredentialsSource,
  signal: AbortSignal,
): Promise<string> {
  return await useSdk(
    {
      backend: NAME,
      packages: PACKAGES,
      load: () => Promise.all([DSQL_SIGNER.load(), PROVIDERS.load()]),
      failure: 'failed to build authentication token',
      async use([{ DsqlSigner }, providers]) {
        const credentials = await source.get(providers, region);
        const signer = new DsqlSigner({ hostname: signedHost(host), region, credentials });
        const token: unknown = await (actionFor(user) === 'DbConnectAdmin'
          ? signer.getDbConnectAdminAuthToken()
          : signer.getDbConnectAuthToken());
        if (typeof token !== 'string' || token === '') throw new Error('the signer returned no token');
        return token;
      },
    },
    signal,
  );
}

function actionFor(user: string): 'DbConnect' | 'DbConnectAdmin' {
  return user === ADMIN ? 'DbConnectAdmin' : 'DbConnect';
}

/** Describes the action, host and region that a token is signed for, and any conflict with the host's name. */
function describeSigned({ host, user }: LoginTarget, configured: string | undefined): string {
  const named = regionOfCluster(host);
  const signed = `signed for ${actionFor(user)} at ${signedHost(host)} in ${configured ?? named ?? 'no region'}`;
  if (named === undefined) return `${signed}, and ${signedHost(host)} is not the name of a cluster`;
  return configured === undefined || named === configured
    ? signed
    : `${signed}, and the cluster is in ${named}`;
}
