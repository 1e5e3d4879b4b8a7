import type { MetricReader } from '@opentelemetry/sdk-metrics';
import type { Config, InstrumentedPool } from '../../../src/index.js';

// Stand-ins for the reader's own code in the documentation: every block may use these without declaring them. When a
// block is run, the environment says which server they refer to.

const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASSWORD, DB_NAME = '', DB_REGION } = process.env;

/** The config of an application: with a password, or with tokens if the environment sets a region. */
export const config: Config & { readonly host: string; readonly port: number } = {
  host: DB_HOST,
  port: Number(DB_PORT),
  user: DB_USER,
  database: DB_NAME,
  sslMode: 'verify-full',
  ...(DB_REGION === undefined
    ? { password: DB_PASSWORD }
    : { dynamicAuth: { awsRdsIam: { region: DB_REGION } } }),
};

/** What an application does with its pool. */
export async function work(pool: InstrumentedPool): Promise<void> {
  await pool.query('select now()');
}

/** The current writer, as the application knows it. */
export function currentWriter(): Promise<string> {
  return Promise.resolve(DB_HOST);
}

/** The metric readers of an application. */
export const readers: MetricReader[] = [];

const write = (message: string, fields: object): void => console.error(message, fields);
/** A logger whose first argument is the text. */
export const log = { debug: write, info: write, warn: write };
