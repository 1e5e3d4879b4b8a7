import { sharedByVersion } from '../../process-state.js';
import { isUnsetOrDate, type AwsCredentials, type AwsIdentity } from './identity.js';
import type { AwsProviders } from './sdk.js';

const IMDS_RETRIES = 2;
/** The SDK's chain logs this when it calls the metadata service. */
const ASKS_IMDS = 'fromInstanceMetadata';
/** The default name for the sessions of an assumed role. */
const SESSION_NAME = 'pgauge';

type ChainOptions = NonNullable<Parameters<AwsProviders['fromNodeProviderChain']>[0]>;

const shared = sharedByVersion('awsFetches', () => ({ imdsFailures: new WeakSet() }));

/**
 * Fetches the credentials of an identity; rejects with the SDK's own error. If STS is needed, it is called in `region`;
 * `again` makes a provider that caches credentials fetch new ones.
 */
export async function fetchCredentials(
  sdk: AwsProviders,
  identity: AwsIdentity,
  region: string,
  again: boolean,
): Promise<AwsCredentials> {
  const asked = { imds: false };
  const { roleArn } = identity;
  const source = providerOf(sdk, identity, region, again, () => (asked.imds = true));
  const provide = roleArn === undefined ? source : inRole(sdk, { ...identity, roleArn }, source, region);
  const found = await provide().catch((error: unknown) => {
    if (asked.imds && typeof error === 'object' && error !== null) shared.imdsFailures.add(error);
    throw error;
  });
  return checked(found);
}

/** Whether an error with which `fetchCredentials` rejected came from the instance metadata service. */
export function isImdsFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && shared.imdsFailures.has(error);
}

/** The provider of an identity's own credentials, before a role is assumed with them. */
function providerOf(
  sdk: AwsProviders,
  { credentials, profile }: AwsIdentity,
  region: string,
  again: boolean,
  asksImds: () => void,
): () => Promise<AwsCredentials> {
  if (typeof credentials === 'function') return () => credentials({ forceRefresh: again });
  if (credentials !== undefined) return () => Promise.resolve(credentials);
  // A new chain for each fetch, because a chain caches its credentials and cannot be notified of a rotation. The cache
  // of files is ignored, because the SDK would read each file only once per process.
  const options = {
    ignoreCache: true,
    maxRetries: IMDS_RETRIES,
    logger: chainLogger((text) => {
      if (text.includes(ASKS_IMDS)) asksImds();
    }),
  };
  // If the profile has no credentials, the whole chain would go on to other sources.
  const chain =
    profile === undefined ? sdk.fromNodeProviderChain(options) : sdk.fromIni({ ...options, profile });
  return () => chain({ callerClientConfig: { region: () => Promise.resolve(region) } });
}

function inRole(
  sdk: AwsProviders,
  { roleArn, externalId, sessionName = SESSION_NAME }: AwsIdentity & { readonly roleArn: string },
  source: () => Promise<AwsCredentials>,
  region: string,
): () => Promise<AwsCredentials> {
  return sdk.fromTemporaryCredentials({
    masterCredentials: source,
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      ...(externalId !== undefined && { ExternalId: externalId }),
    },
    clientConfig: { region },
  });
}

function checked({ accessKeyId, secretAccessKey, sessionToken, expiration }: AwsCredentials): AwsCredentials {
  if (
    !filled(accessKeyId) ||
    !filled(secretAccessKey) ||
    !(sessionToken === undefined || typeof sessionToken === 'string')
  ) {
    throw new Error('the credential provider returned incomplete credentials');
  }
  if (!isUnsetOrDate(expiration)) {
    throw new Error('the credential provider returned an expiration that is not a Date');
  }
  const endsAt = expiration?.getTime();
  return Object.freeze({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken && { sessionToken }),
    ...(endsAt && { expiration: new Date(endsAt) }),
  });
}

/** A chain's error does not name the source it tried last, but its log does. */
function chainLogger(debug: (text: string) => void): NonNullable<ChainOptions['logger']> {
  const ignore = (): void => undefined;
  return {
    trace: ignore,
    debug: (text: unknown) => debug(String(text)),
    info: ignore,
    // The SDK does the same without a logger.
    warn: (...args: unknown[]) => console.warn(...args),
    error: ignore,
  };
}

function filled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
