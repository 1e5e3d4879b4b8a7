import { ConfigError } from '../../errors.js';
import { checkRequired, checkText, refuseUnknown } from '../../settings/checks.js';
import type { AuthBackend } from '../backend.js';
import { awsCredentialsSource } from './credentials.js';
import { checkIdentity, IDENTITY_SETTINGS, type AwsIdentity } from './identity.js';
import { isRegion } from './region.js';
import { readLogin, SECRETS_MANAGER as NAME, SECRETS_PACKAGES } from './secret-login.js';

/** Logs in with the user and password stored in a secret of AWS Secrets Manager. */
export interface DynamicAuthAwsSecretsManager extends AwsIdentity {
  /** Name or ARN of the secret, whose value is a JSON object with the user and the password. */
  readonly secretId: string;
  /** The region of the secret. */
  readonly region: string;
  /** Key of the user in the secret; default `username`. */
  readonly usernameKey?: string | undefined;
  /** Key of the password in the secret; default `password`. */
  readonly passwordKey?: string | undefined;
}

const REQUIRED = ['secretId', 'region'] as const;
const OWN = [...REQUIRED, 'usernameKey', 'passwordKey'] as const;
const SETTINGS = [
  ...OWN,
  ...IDENTITY_SETTINGS,
] as const satisfies readonly (keyof DynamicAuthAwsSecretsManager)[];

/** AWS Secrets Manager: user and password from a secret, read again after 15 min or when the server rejects them. */
export const awsSecretsManager: AuthBackend<DynamicAuthAwsSecretsManager> = {
  name: NAME,
  label: 'Secrets Manager',

  packages: () => SECRETS_PACKAGES,

  check(settings, path) {
    for (const name of OWN) checkText(settings[name], `${path}.${name}`);
    for (const name of OWN) {
      const isNeeded = (REQUIRED as readonly string[]).includes(name) || settings[name] !== undefined;
      if (isNeeded) checkRequired(settings[name], `${path}.${name}`);
    }
    if (!isRegion(settings['region'])) {
      throw new ConfigError(`${path}.region must look like one, such as us-east-1`);
    }
    checkIdentity(settings, path);
    refuseUnknown(settings, SETTINGS, path);
  },

  issuer(settings) {
    const { secretId, region } = settings;
    const credentials = awsCredentialsSource(NAME, settings);
    return {
      source: Object.freeze({
        provider: NAME,
        region,
        hint: `the server rejected the login with the secret ${secretId}: check that its user and password are those of the database, and that a rotation has ended`,
        credentials: [credentials],
        rejected: () => credentials.rejected(),
      }),
      reused: true,
      issue: (_target, { signal }) => readLogin(settings, credentials, signal),
    };
  },
};
