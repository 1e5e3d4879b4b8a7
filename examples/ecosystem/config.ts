import { defineConfig } from 'pgauge';

const { DB_HOST = 'localhost', DB_PORT = '5432', DB_USER = 'app', DB_NAME = 'app' } = process.env;
/** File with the root certificates. pgauge reads this variable; what connects without its pool must be told. */
export const { PGSSLROOTCERT: roots = 'global-bundle.pem' } = process.env;
const { AWS_REGION = 'detect', DB_MIGRATION_USER } = process.env;

/** How every example logs in: chain and name of the certificate are verified (roots: PGSSLROOTCERT), and every connection gets a token of its own. */
export const config = defineConfig({
  host: DB_HOST,
  port: Number(DB_PORT),
  user: DB_USER,
  migrationUser: DB_MIGRATION_USER,
  database: DB_NAME,
  sslMode: 'verify-full',
  dynamicAuth: { awsRdsIam: { region: AWS_REGION } },
});

/** Where the server is, for what connects without pgauge's pool: a config may have several hosts instead. */
export const server = { host: DB_HOST, port: Number(DB_PORT) };
