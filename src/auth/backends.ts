import { ConfigError } from '../errors.js';
import type { CredentialsSource } from '../observer.js';
import { readFields, refuseUnknown } from '../settings/checks.js';
import { awsRdsIam } from './aws/rds-iam.js';
import type { AuthBackend, BackendSettings } from './backend.js';

/** Every backend under its key in `dynamicAuth`; the comment of a line is its description in `docs/api.md`. */
export const BACKENDS = {
  /** AWS RDS IAM authentication. */
  awsRdsIam,
} satisfies Readonly<Record<string, AuthBackend>>;

type Table = typeof BACKENDS;
type SettingsOf<Backend> = Backend extends AuthBackend<infer Settings> ? Settings : never;

type SettingsOfOne = { readonly [B in keyof Table]?: SettingsOf<Table[B]> | undefined };

/** Where short-lived passwords come from: exactly one backend. */
// An interface, so that docs/api.md lists its members with their descriptions.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface DynamicAuthConfig extends SettingsOfOne {}

/** The name of a backend in `dynamicAuth`. */
export type DynamicAuthBackend = keyof Table;

/** The backend that a config selects. */
export interface ConfiguredBackend {
  readonly name: DynamicAuthBackend;
  readonly backend: AuthBackend;
  readonly settings: BackendSettings;
  /** Where the settings stand in the config, for messages: `dynamicAuth.<name>`. */
  readonly path: string;
}

/** The one backend that `dynamicAuth` names, undefined when it is unset; throws ConfigError for none, several or unknown ones. */
export function checkDynamicAuth(dynamicAuth: unknown): ConfiguredBackend | undefined {
  if (dynamicAuth === undefined || dynamicAuth === null) return undefined;
  const fields = readFields(dynamicAuth, 'dynamicAuth');
  const known = Object.keys(BACKENDS) as DynamicAuthBackend[];
  const given = Object.keys(fields).filter((name) => fields[name] !== undefined);
  const name = known.find((key) => given.includes(key));
  if (name === undefined) {
    const examples = `e.g., ${known.join(', ')}`;
    throw new ConfigError(`dynamicAuth is set but no supported auth method (${examples}) is configured`);
  }
  if (given.length > 1) {
    throw new ConfigError(`dynamicAuth must configure exactly one auth method: ${given.join(', ')} are set`);
  }
  refuseUnknown(fields, known, 'dynamicAuth');
  const path = `dynamicAuth.${name}`;
  return { name, backend: BACKENDS[name], settings: readFields(fields[name], path), path };
}

/** The credentials of every backend that fetches some. */
export const CREDENTIALS: readonly CredentialsSource[] = Object.values<AuthBackend>(BACKENDS).flatMap(
  ({ credentials }) => credentials ?? [],
);
