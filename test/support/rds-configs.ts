import type { LocalRds } from '../../local-rds/index.js';
import type { Config } from '../../src/index.js';

/** The config to log into the PostgreSQL behind a `local-rds`, with a password and without TLS. */
export function plainConfig({ postgres: { host, port, user, password, database } }: LocalRds): Config {
  return { host, port, user, password, database, sslMode: 'disable' };
}

/** The config to log into a `local-rds` with tokens. */
export function iamConfig(
  { host, port, user, database, region }: LocalRds,
  config: Partial<Config> = {},
): Config {
  return { host, port, user, database, dynamicAuth: { awsRdsIam: { region } }, ...config };
}
