import type { AwsSdk } from './sdk.js';
import { CredentialMemo, type AwsCredentials } from '../credential-memo.js';

// Everything by which the SDK's default chain chooses where credentials come from, in two lists rather than by a walk
// through the environment, which costs as much as signing the token does.
const KEY_VARIABLES = [
  'AWS_PROFILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
] as const;
const OTHER_VARIABLES = [
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_EC2_METADATA_DISABLED',
  'AWS_EC2_METADATA_SERVICE_ENDPOINT',
  'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE',
  'AWS_EC2_METADATA_V1_DISABLED',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_STS',
  'AWS_LOGIN_CACHE_DIRECTORY',
  'HOME',
  'USERPROFILE',
] as const;

const IMDS_RETRIES = 2;

/** Hears of every real fetch of AWS credentials in this process; one that throws is ignored. */
export interface CredentialsObserver {
  /** A fetch (environment, file, IMDS, STS, …) took `durationMs`; `error` is set when it failed. Memoised answers are not reported. */
  fetched(provider: string, durationMs: number, error?: unknown): void;
}

type ChainOptions = NonNullable<Parameters<AwsSdk['fromNodeProviderChain']>[0]>;
type Values = readonly (string | undefined)[];

/** What the variables held when the source was chosen; kept to compare, never to print. */
interface Source {
  readonly keys: Values;
  /** Unset when the keys decide alone. */
  readonly others: Values | undefined;
}

/** What the SDK's chain logs when it turns to the metadata service. */
const ASKS_IMDS = 'fromInstanceMetadata';

const observers = new Set<CredentialsObserver>();
const imdsFailures = new WeakSet<object>();
let selected: { readonly source: Source; readonly memo: CredentialMemo } | undefined;

/** Subscribes to credential fetches and returns the function that unsubscribes. */
export function observeCredentials(observer: CredentialsObserver): () => void {
  observers.add(observer);
  return () => void observers.delete(observer);
}

/** Unix time in milliseconds at which the session credentials held now end; `undefined` while none are held or they do not end. */
export function credentialsExpireAtMs(): number | undefined {
  return selected?.memo.expireAtMs;
}

/** Credentials from the one memo of the source that the environment selects now; rejects with the SDK's own error. */
export function awsCredentials(sdk: AwsSdk, provider: string, region: string): Promise<AwsCredentials> {
  if (!selected || !isCurrent(selected.source)) {
    selected = { source: currentSource(), memo: new CredentialMemo(report.bind(null, provider)) };
  }
  return selected.memo.get(() => fetchCredentials(sdk, region));
}

/** Tells the memo that a login with its credentials was rejected, so that the next token looks for rotated ones. */
export function awsCredentialsRejected(): void {
  selected?.memo.suspect();
}

/** Whether an error that `awsCredentials` rejected with came of the instance metadata service. */
export function isImdsFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && imdsFailures.has(error);
}

function currentSource(): Source {
  const keys = KEY_VARIABLES.map((name) => process.env[name]);
  const [profile, accessKeyId, secretAccessKey] = keys;
  // With both keys and no profile the chain looks no further.
  const decided = !profile && accessKeyId && secretAccessKey;
  return { keys, others: decided ? undefined : OTHER_VARIABLES.map((name) => process.env[name]) };
}

function isCurrent({ keys, others }: Source): boolean {
  return holds(KEY_VARIABLES, keys) && (!others || holds(OTHER_VARIABLES, others));
}

function holds(names: readonly string[], values: Values): boolean {
  // For every token: reading the environment is the dearest part of it that is ours.
  const { env } = process;
  for (let i = 0; i < names.length; i++) if (env[names[i] as string] !== values[i]) return false;
  return true;
}

// A chain of its own for each fetch, for the SDK's chain has a memo that cannot be told of a rotation, and files read
// anew, for the SDK otherwise reads each once per process. The region is the one STS is asked in, where STS is needed.
async function fetchCredentials(sdk: AwsSdk, region: string): Promise<AwsCredentials> {
  const asked = { imds: false };
  const chain = sdk.fromNodeProviderChain({
    ignoreCache: true,
    maxRetries: IMDS_RETRIES,
    logger: chainLogger((text) => (asked.imds ||= text.includes(ASKS_IMDS))),
  });
  const found = await chain({ callerClientConfig: { region: () => Promise.resolve(region) } }).catch(
    (error: unknown) => {
      if (asked.imds && typeof error === 'object' && error !== null) imdsFailures.add(error);
      throw error;
    },
  );
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = found;
  if (
    !filled(accessKeyId) ||
    !filled(secretAccessKey) ||
    !(sessionToken === undefined || typeof sessionToken === 'string')
  ) {
    throw new Error('the credential provider returned incomplete credentials');
  }
  const endsAt = expiration?.getTime();
  return Object.freeze({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken && { sessionToken }),
    ...(endsAt && { expiration: new Date(endsAt) }),
  });
}

/** The errors of a chain do not say whom it asked last; its log does. */
function chainLogger(debug: (text: string) => void): NonNullable<ChainOptions['logger']> {
  const ignore = (): void => undefined;
  return {
    trace: ignore,
    debug: (text: unknown) => debug(String(text)),
    info: ignore,
    // Where it warns without a logger.
    warn: (...args: unknown[]) => console.warn(...args),
    error: ignore,
  };
}

function filled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function report(provider: string, durationMs: number, error?: unknown): void {
  for (const observer of observers) {
    try {
      observer.fetched(provider, durationMs, error);
    } catch {
      // Telemetry never breaks a login.
    }
  }
}
