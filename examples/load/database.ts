import { readFile } from 'node:fs/promises';
import { serveCredentials } from '../demo/aws.js';
import { containerCredentials, useOnly } from '../demo/environment.js';

/** The server that the application works on; disposing stops it if it was started for that. */
export interface Database extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly region: string;
  readonly caPem: string;
}

/** What local-rds writes of itself when it runs as a program. */
interface Connection extends Omit<Database, 'caPem' | typeof Symbol.asyncDispose> {
  readonly caFile: string;
  readonly credentialsFile?: string;
  readonly imdsEndpoint?: string;
}

const HOUR_MS = 3_600_000;
/** Variables that say where keys come from and are no keys themselves. */
const SOURCES = ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_EC2_METADATA_SERVICE_ENDPOINT'];

/** Finds the local-rds that the environment names, or starts one; the process signs with its keys from then on. */
export async function openDatabase(): Promise<Database> {
  const file = process.env['LOCAL_RDS_CONNECTION'];
  return file ? await findDatabase(file) : await startDatabase();
}

async function findDatabase(file: string): Promise<Database> {
  const connection = JSON.parse(await readFile(file, 'utf8')) as Connection;
  useOnly(keySource(connection));
  const caPem = await readFile(connection.caFile, 'utf8');
  return { ...connection, caPem, [Symbol.asyncDispose]: () => Promise.resolve() };
}

function keySource({ imdsEndpoint, credentialsFile }: Connection): Record<string, string> {
  const given = SOURCES.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : []));
  if (given.length > 0) return Object.fromEntries(given);
  if (imdsEndpoint) return { AWS_EC2_METADATA_SERVICE_ENDPOINT: imdsEndpoint };
  return credentialsFile ? { AWS_SHARED_CREDENTIALS_FILE: credentialsFile } : {};
}

async function startDatabase(): Promise<Database> {
  const { startLocalRds } = await import('../../local-rds/index.js');
  const rds = await startLocalRds();
  const credentials = await serveCredentials(rds, HOUR_MS);
  useOnly(containerCredentials(credentials.url));
  const { host, port, user, database, region, caPem } = rds;
  return {
    ...{ host, port, user, database, region, caPem },
    [Symbol.asyncDispose]: async () => {
      await credentials[Symbol.asyncDispose]();
      await rds.stop();
    },
  };
}
