import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { untilAborted } from '../../../deadline.js';
import { homeFolder } from '../../../settings/environment.js';
import type { AwsIdentity } from '../identity.js';
import type { AwsProviders } from '../sdk.js';

/** Where the SDK's chain found credentials. */
export interface FoundSource {
  /** In words: `environment`, `instance metadata`, … */
  readonly name: string;
  /** The service that returned them over HTTP, if any. */
  readonly service: URL | undefined;
}

const IMDS_ENDPOINT = 'http://169.254.169.254';
const ROLE_PATH = 'latest/meta-data/iam/security-credentials/';
const ROLE_REQUEST_MS = 1_000;
const ECS_ENDPOINT = 'http://169.254.170.2';

type Env = Readonly<NodeJS.ProcessEnv>;

/** The marks that the SDK puts on credentials, the most specific first: several may be set. */
const MARKS: readonly (readonly [RegExp, string])[] = [
  [/_LOGIN$/, 'aws login'],
  [/SSO/, 'SSO'],
  [/WEB_ID/, 'web identity (STS)'],
  [/ASSUME_ROLE/, 'assumed role (STS)'],
  [/PROCESS$/, 'credential_process'],
  [/HTTP$/, 'container'],
  [/IMDS$/, 'instance metadata'],
  [/ENV_VARS/, 'environment'],
  [/PROFILE/, 'profile'],
];

/** Describes where credentials came from, by the marks that the SDK put on them. */
export function describeSource(marks: object | undefined, env: Env): FoundSource {
  const names = Object.keys(marks ?? {});
  const name = MARKS.find(([pattern]) => names.some((mark) => pattern.test(mark)))?.[1] ?? unmarked(env);
  const profiled = names.some((mark) => mark.includes('PROFILE'));
  const shown = profiled ? `${name === 'profile' ? '' : `${name}, `}profile ${profileName(env)}` : name;
  return { name: shown, service: serviceOf(name, env) };
}

/** The SDK does not mark credentials from these two sources. */
function unmarked(env: Env): string {
  return containerEndpoint(env) === undefined ? 'instance metadata' : 'container';
}

/** The name of the role whose credentials the instance metadata service returns; undefined when it cannot be read. */
export async function instanceRole(signal: AbortSignal): Promise<string | undefined> {
  try {
    const { MetadataService } = await import('@aws-sdk/ec2-metadata-service');
    const imds = new MetadataService({
      ec2MetadataV1Disabled: true,
      httpOptions: { timeout: ROLE_REQUEST_MS },
      retries: 0,
    });
    const role = await untilAborted(imds.request(ROLE_PATH, {}), signal);
    return /^[\w+=,.@-]{1,128}$/.test(role) ? role : undefined;
  } catch {
    // The package is optional, and the role is only extra information.
    return undefined;
  }
}

/** Runs the SDK's chain again, only to read its marks. */
export async function findSource(
  sdk: AwsProviders,
  { profile }: AwsIdentity,
  region: string,
  env: Env,
): Promise<FoundSource> {
  const options = { ignoreCache: true };
  const chain =
    profile === undefined ? sdk.fromNodeProviderChain(options) : sdk.fromIni({ ...options, profile });
  const { $source: marks } = (await chain({
    callerClientConfig: { region: () => Promise.resolve(region) },
  })) as { $source?: object };
  return describeSource(marks, profile === undefined ? env : { ...env, AWS_PROFILE: profile });
}

/** The configured sources of credentials: names of variables that are set, and paths of files that exist. */
export function configuredSources(env: Env): string[] {
  const file = (variable: string, name: string): string[] => {
    const home = homeFolder(env);
    const path = env[variable] || (home && join(home, '.aws', name));
    return path && existsSync(path) ? [path] : [];
  };
  const set = (name: string): string[] => (env[name] ? [name] : []);
  return [
    ...set('AWS_ACCESS_KEY_ID'),
    ...(env['AWS_PROFILE'] ? [`AWS_PROFILE (${profileName(env)})`] : []),
    ...set('AWS_WEB_IDENTITY_TOKEN_FILE'),
    ...set('AWS_CONTAINER_CREDENTIALS_FULL_URI'),
    ...set('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'),
    ...set('AWS_EC2_METADATA_SERVICE_ENDPOINT'),
    ...file('AWS_CONFIG_FILE', 'config'),
    ...file('AWS_SHARED_CREDENTIALS_FILE', 'credentials'),
  ];
}

/** The container's credential endpoint, if there is one. */
export function containerEndpoint(env: Env): URL | undefined {
  const path = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
  const text = path ? ECS_ENDPOINT + path : env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  return text ? parsed(text) : undefined;
}

/** The address of the instance metadata service. */
export function imdsEndpoint(env: Env): URL | undefined {
  return parsed(env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || IMDS_ENDPOINT);
}

/** An access key id as it may be shown: its first and last four characters. */
export function maskedKeyId(id: string): string {
  return id.length < 12 ? '…' : `${id.slice(0, 4)}…${id.slice(-4)}`;
}

function serviceOf(name: string, env: Env): URL | undefined {
  if (name === 'container') return containerEndpoint(env);
  return name === 'instance metadata' ? imdsEndpoint(env) : undefined;
}

function profileName(env: Env): string {
  return env['AWS_PROFILE'] || 'default';
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
