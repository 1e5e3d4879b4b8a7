import { types } from 'node:util';
import { ConfigError } from '../../errors.js';
import { checkRequired, checkText, isObject, type Unchecked } from '../../settings/checks.js';
import type { BackendSettings } from '../backend.js';

/** AWS credentials, like the SDK's `AwsCredentialIdentity`. */
export interface AwsCredentials {
  /** The ID of the access key. */
  readonly accessKeyId: string;
  /** The secret of the access key. */
  readonly secretAccessKey: string;
  /** The session token, for temporary credentials; default none. */
  readonly sessionToken?: string;
  /** When the session ends; unset for long-lived keys. */
  readonly expiration?: Date;
}

/**
 * A function that returns AWS credentials, like those of `@aws-sdk/credential-providers`; with `forceRefresh` it must
 * fetch new ones even if it has some cached.
 */
export type AwsCredentialsProvider = (options?: {
  readonly forceRefresh?: boolean;
}) => Promise<AwsCredentials>;

/** The identity that signs requests to AWS; default the one that the SDK's default chain finds. */
export interface AwsIdentity {
  /** Profile of the shared config and credentials files; default that of the environment (AWS_PROFILE), if any. */
  readonly profile?: string | undefined;
  /** ARN of a role to assume with those credentials; default none. */
  readonly roleArn?: string | undefined;
  /** External ID that the role's trust policy requires; only with `roleArn`, default none. */
  readonly externalId?: string | undefined;
  /** Name of the role's sessions, as CloudTrail shows it; only with `roleArn`, default `pgauge`. */
  readonly sessionName?: string | undefined;
  /** Credentials, or a function that returns them, instead of the default chain; not with `profile`. */
  readonly credentials?: AwsCredentials | AwsCredentialsProvider | undefined;
}

/** The members of {@link AwsIdentity}. */
export const IDENTITY_SETTINGS = [
  'profile',
  'roleArn',
  'externalId',
  'sessionName',
  'credentials',
] as const satisfies readonly (keyof AwsIdentity)[];

const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

/** Throws ConfigError for the first setting of an identity that cannot be used. */
export function checkIdentity(settings: BackendSettings, path: string): void {
  for (const name of ['profile', 'roleArn', 'externalId', 'sessionName'] as const) {
    const value = settings[name];
    if (value === undefined) continue;
    checkRequired(value, `${path}.${name}`);
    checkText(value, `${path}.${name}`);
  }
  const { profile, roleArn, externalId, sessionName, credentials } = settings as AwsIdentity;
  if (roleArn !== undefined && !ROLE_ARN.test(roleArn)) {
    throw new ConfigError(
      `${path}.roleArn must be the ARN of a role, such as arn:aws:iam::123456789012:role/app`,
    );
  }
  for (const [name, value] of Object.entries({ externalId, sessionName })) {
    if (value !== undefined && roleArn === undefined) {
      throw new ConfigError(`${path}.${name} belongs to a role: give roleArn, too`);
    }
  }
  if (sessionName !== undefined && !SESSION_NAME.test(sessionName)) {
    throw new ConfigError(`${path}.sessionName must have 2 to 64 letters, digits or any of _+=,.@-`);
  }
  if (credentials === undefined) return;
  if (profile !== undefined) {
    throw new ConfigError(`${path}.profile and ${path}.credentials are mutually exclusive`);
  }
  if (typeof credentials === 'function') return;
  if (!isObject(credentials)) throw new ConfigError(`${path}.credentials must be an object or a function`);
  checkGiven(credentials, `${path}.credentials`);
}

function checkGiven(credentials: Unchecked<AwsCredentials>, path: string): void {
  for (const name of ['accessKeyId', 'secretAccessKey'] as const) {
    checkRequired(credentials[name], `${path}.${name}`);
    checkText(credentials[name], `${path}.${name}`);
  }
  checkText(credentials.sessionToken, `${path}.sessionToken`);
  if (!isUnsetOrDate(credentials.expiration)) throw new ConfigError(`${path}.expiration must be a Date`);
}

/** Whether an expiry of credentials is unset or a valid date, possibly from another realm. */
export function isUnsetOrDate(value: unknown): value is Date | undefined {
  return value === undefined || (types.isDate(value) && !Number.isNaN(value.getTime()));
}
