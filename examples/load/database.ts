import { readFile } from 'node:fs/promises';
import type { DynamicAuthConfig } from '../../src/index.js';
import { DEFAULT_AUTH } from '../demo/auth-option.js';
import { useOnly } from '../demo/environment.js';
import type { SourceName } from '../demo/sources/names.js';

/** The application's database server; disposing stops the server if it was started here. */
export interface Database extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly dynamicAuth: DynamicAuthConfig;
  readonly caPem: string;
}

/** The connection file that local-rds writes when it runs as a program. */
interface Connection extends Omit<Database, 'dynamicAuth' | 'caPem' | typeof Symbol.asyncDispose> {
  readonly region: string;
  readonly caFile: string;
  readonly credentialsFile?: string;
  readonly imdsEndpoint?: string;
}

const HOUR_MS = 3_600_000;
/** Variables that name a source of keys but contain none. */
const SOURCES = ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_EC2_METADATA_SERVICE_ENDPOINT'];

/** Uses the local-rds that the environment names, or starts one; the process keeps only this backend's credentials. */
export async function openDatabase(auth: SourceName, warn: (line: string) => void): Promise<Database> {
  const file = process.env['LOCAL_RDS_CONNECTION'];
  if (file && auth === DEFAULT_AUTH) return await findDatabase(file);
  if (file) warn(`demo:load: the server of ${file} takes ${DEFAULT_AUTH} only; one is started for ${auth}`);
  return await startDatabase(auth);
}

async function findDatabase(file: string): Promise<Database> {
  const connection = JSON.parse(await readFile(file, 'utf8')) as Connection;
  useOnly(keySource(connection));
  const caPem = await readFile(connection.caFile, 'utf8');
  const { region, ...database } = connection;
  const dynamicAuth = { awsRdsIam: { region } };
  return { ...database, dynamicAuth, caPem, [Symbol.asyncDispose]: () => Promise.resolve() };
}

function keySource({ imdsEndpoint, credentialsFile }: Connection): Record<string, string> {
  const given = SOURCES.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : []));
  if (given.length > 0) return Object.fromEntries(given);
  if (imdsEndpoint) return { AWS_EC2_METADATA_SERVICE_ENDPOINT: imdsEndpoint };
  return credentialsFile ? { AWS_SHARED_CREDENTIALS_FILE: credentialsFile } : {};
}

async function startDatabase(auth: SourceName): Promise<Database> {
  const { startLocalRds } = await import('../../local-rds/index.js');
  const rds = await startLocalRds();
  const { SOURCES } = await import('../demo/sources/index.js');
  const source = await SOURCES[auth](rds, HOUR_MS);
  useOnly(source.env);
  const { host, port, database, caPem } = rds;
  const { user, dynamicAuth } = source;
  return {
    ...{ host, port, user, database, dynamicAuth, caPem },
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await rds.stop();
    },
  };
}
