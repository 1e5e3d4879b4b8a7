import { join } from 'node:path';
import pg from 'pg';
import { awsEnvOf, startEndpoint, type Endpoint, type EndpointOptions } from './endpoint.js';

/** A PostgreSQL server that is not started here. */
export interface ExternalPostgres {
  /** Folder of its unix socket, over which it must accept every user without a password. */
  readonly socketDir: string;
  /** Host of its TCP port, for users with passwords; default `127.0.0.1`. */
  readonly host?: string;
  /** Its port, which is also part of the socket's name; default 5432. */
  readonly port?: number;
  /** The superuser who creates the role, the user and the database; default `postgres`. */
  readonly superuser?: string;
}

/** A gate in front of an external PostgreSQL server; `stop()` leaves the server and its data unchanged. */
export interface FrontedPostgres extends Endpoint, AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly caPem: string;
  readonly awsEnv: ReturnType<typeof awsEnvOf>;
}

/**
 * Puts the gate in front of an external PostgreSQL server, and creates the role `rds_iam`, the user and the database
 * there if they are missing.
 */
export async function frontPostgres(
  options: EndpointOptions,
  { socketDir, host = '127.0.0.1', port = 5432, superuser = 'postgres' }: ExternalPostgres,
): Promise<FrontedPostgres> {
  const socketPath = join(socketDir, `.s.PGSQL.${port}`);
  const endpoint = await startEndpoint(options, { socketPath, host, port });
  const { gate, ca, user, database } = endpoint;
  try {
    const client = new pg.Client({
      host: socketDir,
      port,
      user: superuser,
      database: 'postgres',
      ssl: false,
    });
    await client.connect();
    try {
      await prepare(client, user, database);
    } finally {
      await client.end();
    }
  } catch (cause) {
    gate.close();
    throw new Error(`cannot prepare the PostgreSQL at ${socketPath}`, { cause });
  }
  endpoint.iamUsers.add(user);
  return {
    ...endpoint,
    host: gate.host,
    port: gate.port,
    caPem: ca.certPem,
    awsEnv: awsEnvOf(endpoint),
    [Symbol.asyncDispose]: () => {
      gate.close();
      return Promise.resolve();
    },
  };
}

// Must be repeatable, because the server outlives the gate.
async function prepare(client: pg.Client, user: string, database: string): Promise<void> {
  const role = pg.escapeIdentifier(user);
  const exists = async (sql: string, name: string) => (await client.query(sql, [name])).rowCount !== 0;
  for (const name of ['rds_iam', user]) {
    if (await exists('SELECT FROM pg_roles WHERE rolname = $1', name)) continue;
    await client.query(`CREATE ROLE ${pg.escapeIdentifier(name)} ${name === user ? 'LOGIN' : ''}`);
  }
  await client.query(`GRANT rds_iam TO ${role}`);
  if (await exists('SELECT FROM pg_database WHERE datname = $1', database)) return;
  await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)} OWNER ${role}`);
}
