import { defineConfig } from 'pgauge';

const { DB_HOST = 'localhost', DB_PORT = '5432', DB_USER = 'app', DB_NAME = 'app' } = process.env;
/** File with the root certificates. pgauge reads this variable itself; connections without its pool need the path. */
export const { PGSSLROOTCERT: roots = 'global-bundle.pem' } = process.env;
const { AWS_REGION = 'detect', DB_MIGRATION_USER } = process.env;

/**
 * The config of every example: the chain and the name of the certificate are verified (roots: PGSSLROOTCERT), and every
 * connection gets its own token.
 */
export const config = defineConfig({
  host: DB_HOST,
  port: Number(DB_PORT),
  user: DB_USER,
  migrationUser: DB_MIGRATION_USER,
  database: DB_NAME,
  sslMode: 'verify-full',
  dynamicAuth: { awsRdsIam: { region: AWS_REGION } },
});

/** The server's address for connections without pgauge's pool: a config may have several hosts instead. */
export const server = { host: DB_HOST, port: Number(DB_PORT) };
