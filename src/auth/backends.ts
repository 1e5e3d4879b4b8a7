import { ConfigError } from '../errors.js';
import { isObject, readFields, refuseUnknown } from '../settings/checks.js';
import { awsDsql } from './aws/dsql.js';
import { awsRdsIam } from './aws/rds-iam.js';
import { awsSecretsManager } from './aws/secrets-manager.js';
import { azureAd } from './azure/azure-ad.js';
import type { AuthBackend, BackendSettings, Lifetime } from './backend.js';
import { custom } from './custom.js';
import { gcpCloudSqlIam } from './gcp/cloud-sql-iam.js';
import { passwordFile } from './password-file.js';

/** Every backend under its key in `dynamicAuth`; the comment above each is its description in `docs/api.md`. */
export const BACKENDS = {
  /** AWS RDS IAM authentication. */
  awsRdsIam,
  /** Amazon Aurora DSQL. */
  awsDsql,
  /** User and password from a secret of AWS Secrets Manager. */
  awsSecretsManager,
  /** Microsoft Entra ID authentication of Azure Database for PostgreSQL. */
  azureAd,
  /** Passwords from a function of the application. */
  custom,
  /** IAM database authentication of Google Cloud SQL and AlloyDB. */
  gcpCloudSqlIam,
  /** A password from a file. */
  passwordFile,
} satisfies Readonly<Record<string, AuthBackend>>;

type Table = typeof BACKENDS;
type SettingsOf<Backend> = Backend extends AuthBackend<infer Settings> ? Settings : never;

type SettingsOfOne = { readonly [B in keyof Table]?: SettingsOf<Table[B]> | undefined };

/** The source of short-lived passwords: exactly one backend. */
// An interface, so that docs/api.md lists its members with their descriptions.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface DynamicAuthConfig extends SettingsOfOne {}

/** The name of a backend in `dynamicAuth`. */
export type DynamicAuthBackend = keyof Table;

/** The backend that a config selects. */
export interface ConfiguredBackend {
  readonly name: DynamicAuthBackend;
  /** Its name in telemetry and errors. */
  readonly provider: string;
  readonly backend: AuthBackend;
  readonly settings: BackendSettings;
  /** The path of the settings in the config, for messages: `dynamicAuth.<name>`. */
  readonly path: string;
}

/**
 * The one backend in `dynamicAuth`, undefined if that is unset; throws ConfigError for none, several or unknown ones.
 */
export function checkDynamicAuth(dynamicAuth: unknown): ConfiguredBackend | undefined {
  if (dynamicAuth === undefined || dynamicAuth === null) return undefined;
  const fields = readFields(dynamicAuth, 'dynamicAuth');
  const known = Object.keys(BACKENDS) as DynamicAuthBackend[];
  const given = Object.keys(fields).filter((name) => fields[name] !== undefined);
  const name = known.find((key) => given.includes(key));
  if (name === undefined) {
    const examples = `e.g., ${known.filter((key) => backendOf(key).example).join(', ')}`;
    throw new ConfigError(`dynamicAuth is set but no supported auth method (${examples}) is configured`);
  }
  if (given.length > 1) {
    throw new ConfigError('dynamicAuth must configure exactly one auth method, but more than one is set');
  }
  refuseUnknown(fields, known, 'dynamicAuth');
  const path = `dynamicAuth.${name}`;
  const backend = backendOf(name);
  const settings = readSettings(name, fields[name], path);
  return { name, provider: backend.provider?.(settings) ?? name, backend, settings, path };
}

/**
 * How long connections with this login live if the config sets no lifetime; undefined for the default of every pool.
 */
export function defaultLifetime(dynamicAuth: unknown): Lifetime | undefined {
  return checkDynamicAuth(dynamicAuth)?.backend.defaultLifetime;
}

/**
 * Copies the settings under a key of `dynamicAuth`, unchecked, reading each once; throws ConfigError for a non-object.
 */
export function readSettings(name: string, settings: unknown, path: string): BackendSettings {
  const read = Object.hasOwn(BACKENDS, name) ? backendOf(name as DynamicAuthBackend).read : undefined;
  return read && isObject(settings) ? read(settings, path) : readFields(settings, path);
}

function backendOf(name: DynamicAuthBackend): AuthBackend {
  return BACKENDS[name];
}
