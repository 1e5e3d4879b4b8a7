import type { CredentialsObserver, CredentialsSource } from '../../hooks.js';
import { sharedByVersion } from '../../process-state.js';
import { CredentialMemo } from '../memo.js';
import type { AwsSdk } from './sdk.js';

// All variables by which the SDK's default chain selects a source of credentials. Two lists, because walking through
// the whole environment costs as much as signing the token.
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
/** A token made with credentials is often valid for 15 minutes, but never longer than the credentials themselves. */
const RENEW_BEFORE_MS = 15 * 60_000;

/** AWS credentials as the SDK's Signer takes them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When the session ends; unset for long-lived keys. */
  readonly expiration?: Date;
}

type ChainOptions = NonNullable<Parameters<AwsSdk['fromNodeProviderChain']>[0]>;
type Values = readonly (string | undefined)[];

/** The values of the variables when the source was selected; kept for comparison, never printed. */
interface Source {
  readonly keys: Values;
  /** Unset when the keys alone decide. */
  readonly others: Values | undefined;
}

/** The SDK's chain logs this when it asks the metadata service. */
const ASKS_IMDS = 'fromInstanceMetadata';

interface Shared {
  /** One object, by which telemetry knows the source. */
  source: CredentialsSource | undefined;
  readonly observers: Set<CredentialsObserver>;
  readonly imdsFailures: WeakSet<object>;
  selected: { readonly source: Source; readonly memo: CredentialMemo<AwsCredentials> } | undefined;
}

// One memo for all pools of the process, whichever copy of this package made them.
const shared = sharedByVersion<Shared>('awsCredentials', () => ({
  observers: new Set(),
  imdsFailures: new WeakSet(),
  source: undefined,
  selected: undefined,
}));

/** Subscribes to every fetch of AWS credentials in this process (environment, file, IMDS, STS, …); returns the function that unsubscribes. An observer that throws is ignored. */
export function observeCredentials(observer: CredentialsObserver): () => void {
  shared.observers.add(observer);
  return () => void shared.observers.delete(observer);
}

/** Unix time in milliseconds at which the current session credentials expire; `undefined` if there are none or they do not expire. */
export function credentialsExpireAtMs(): number | undefined {
  return shared.selected?.memo.expireAtMs;
}

/** The credentials that the environment selects, as telemetry observes them. */
export function awsCredentialsSource(): CredentialsSource {
  return (shared.source ??= Object.freeze({
    provider: 'awsRdsIam',
    observe: observeCredentials,
    expireAtMs: credentialsExpireAtMs,
  }));
}

/** Credentials of the source that the environment selects now, from its memo; rejects with the SDK's own error. */
export function awsCredentials(sdk: AwsSdk, provider: string, region: string): Promise<AwsCredentials> {
  if (!shared.selected || !isCurrent(shared.selected.source)) {
    shared.selected = {
      source: currentSource(),
      memo: new CredentialMemo({ renewBeforeMs: RENEW_BEFORE_MS, report: report.bind(null, provider) }),
    };
  }
  return shared.selected.memo.get(() => fetchCredentials(sdk, region));
}

/** Call when a login with these credentials was rejected: the next token fetches them again, as they may have been rotated. */
export function awsCredentialsRejected(): void {
  shared.selected?.memo.suspect();
}

/** Whether an error with which `awsCredentials` rejected came from the instance metadata service. */
export function isImdsFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && shared.imdsFailures.has(error);
}

function currentSource(): Source {
  const keys = KEY_VARIABLES.map((name) => process.env[name]);
  const [profile, accessKeyId, secretAccessKey] = keys;
  // With both keys and no profile the chain uses the keys and looks at nothing else.
  const decided = !profile && accessKeyId && secretAccessKey;
  return { keys, others: decided ? undefined : OTHER_VARIABLES.map((name) => process.env[name]) };
}

function isCurrent({ keys, others }: Source): boolean {
  return holds(KEY_VARIABLES, keys) && (!others || holds(OTHER_VARIABLES, others));
}

function holds(names: readonly string[], values: Values): boolean {
  // This runs for every token, and reading process.env dominates our cost.
  const { env } = process;
  for (let i = 0; i < names.length; i++) if (env[names[i] as string] !== values[i]) return false;
  return true;
}

// Each fetch uses a new chain, because a chain keeps its credentials and cannot be told of a rotation, and reads the
// files again, because the SDK reads each only once per process. Where STS is needed, it is asked in `region`.
async function fetchCredentials(sdk: AwsSdk, region: string): Promise<AwsCredentials> {
  const asked = { imds: false };
  const chain = sdk.fromNodeProviderChain({
    ignoreCache: true,
    maxRetries: IMDS_RETRIES,
    logger: chainLogger((text) => (asked.imds ||= text.includes(ASKS_IMDS))),
  });
  const found = await chain({ callerClientConfig: { region: () => Promise.resolve(region) } }).catch(
    (error: unknown) => {
      if (asked.imds && typeof error === 'object' && error !== null) shared.imdsFailures.add(error);
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

/** A chain's error does not name the source it asked last; its log does. */
function chainLogger(debug: (text: string) => void): NonNullable<ChainOptions['logger']> {
  const ignore = (): void => undefined;
  return {
    trace: ignore,
    debug: (text: unknown) => debug(String(text)),
    info: ignore,
    // As the SDK does without a logger.
    warn: (...args: unknown[]) => console.warn(...args),
    error: ignore,
  };
}

function filled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function report(provider: string, durationMs: number, error?: unknown): void {
  for (const observer of shared.observers) {
    try {
      observer.fetched(provider, durationMs, error);
    } catch {
      // Telemetry must never break a login.
    }
  }
}
