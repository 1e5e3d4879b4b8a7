import { defineConfig } from 'pgauge';

const {
  DB_HOST = 'localhost',
  DB_PORT = '5432',
  DB_USER = 'app',
  DB_MIGRATION_USER = 'migrator',
  DB_NAME = 'orders',
  AWS_REGION = 'detect',
  HOST = '0.0.0.0',
  PORT = '8080',
} = process.env;

/**
 * The config of the pool: the chain and the name of the certificate are verified (roots: PGSSLROOTCERT), and each
 * connection logs in with a fresh IAM token.
 */
export const database = defineConfig({
  host: DB_HOST,
  port: Number(DB_PORT),
  user: DB_USER,
  migrationUser: DB_MIGRATION_USER,
  database: DB_NAME,
  sslMode: 'verify-full',
  dynamicAuth: { awsRdsIam: { region: AWS_REGION } },
  maxOpenConns: 10,
  minConns: 2,
});

/** The address that the service listens on. */
export const listenAt = { host: HOST, port: Number(PORT) };
