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

type Values = readonly (string | undefined)[];

/** The values of the variables when a source was selected; kept for comparison, never printed. */
export interface Selection {
  readonly keys: Values;
  /** Unset when the keys alone decide. */
  readonly others: Values | undefined;
}

/** The current selection; with `all` the keys alone do not decide, because the settings name a profile or a role. */
export function selectionNow(all: boolean): Selection {
  const keys = KEY_VARIABLES.map((name) => process.env[name]);
  const [profile, accessKeyId, secretAccessKey] = keys;
  // With both keys and no profile, the chain uses the keys and reads nothing else.
  const decided = !all && !profile && accessKeyId && secretAccessKey;
  return { keys, others: decided ? undefined : OTHER_VARIABLES.map((name) => process.env[name]) };
}

/** Whether the environment still selects the same source. */
export function isCurrent({ keys, others }: Selection): boolean {
  return holds(KEY_VARIABLES, keys) && (!others || holds(OTHER_VARIABLES, others));
}

function holds(names: readonly string[], values: Values): boolean {
  // This runs for every token, and reading process.env dominates our cost.
  const { env } = process;
  for (let i = 0; i < names.length; i++) if (env[names[i] as string] !== values[i]) return false;
  return true;
}
