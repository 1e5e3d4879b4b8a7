import type { MetricReader } from '@opentelemetry/sdk-metrics';
import type { Config, InstrumentedPool } from '../../../src/index.js';

// What stands in the documentation for the reader's own code: every block may use these without declaring them. Where a
// block is run, the environment says which server they mean.

const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASSWORD, DB_NAME = '', DB_REGION } = process.env;

/** The config of an application: with a password or, where the environment names a region, with tokens. */
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

/** Where writes go now, by the application's own knowledge. */
export function currentWriter(): Promise<string> {
  return Promise.resolve(DB_HOST);
}

/** The metric readers of an application. */
export const readers: MetricReader[] = [];

const write = (message: string, fields: object): void => console.error(message, fields);
/** A logger that takes the text first. */
export const log = { debug: write, info: write, warn: write };
