import type { QueryResultRow } from 'pg';
import type { Config } from '../settings/config.js';
import type { PoolSettings } from '../settings/pool-settings.js';
import type { InstrumentedPool } from '../pool/pool.js';
import type { TlsPlan } from '../connection/tls.js';
import { ForeignText } from './foreign-text.js';
import type { Settings } from './settings.js';

/** Where the AWS credentials came from, as far as others ask for it. */
export interface CredentialSource {
  /** The service that gave them over HTTP, whose clock can be asked. */
  readonly service: URL | undefined;
  /** Unix time in milliseconds at which they end; undefined: they do not. */
  readonly expireAtMs: number | undefined;
}

/** What is found along the way, for the checks that build on it. */
interface Found {
  /** Valid, and with the region that was found in place of `detect`. */
  config: Config;
  poolSettings: PoolSettings;
  tls: TlsPlan;
  /** Where root certificates are looked for. */
  rootsSource: string;
  addresses: readonly { readonly address: string; readonly family: number }[];
  /** The first address that accepts connections. */
  address: string;
  credentials: CredentialSource;
  /** How far this machine's clock is ahead of a service's, in milliseconds. */
  clock: { readonly aheadMs: number; readonly of: string };
  /** Has logged in. */
  pool: InstrumentedPool;
}

/** One run: what was asked for, what was found so far, what has to be closed. */
export class Session {
  readonly text = new ForeignText();
  readonly #found: Partial<Found> = {};

  constructor(
    readonly settings: Settings,
    readonly env: NodeJS.ProcessEnv,
  ) {
    // The values of these are secrets, whatever message they come back in.
    for (const name of [
      'PGPASSWORD',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN',
    ]) {
      this.text.hide(env[name]);
    }
  }

  /** Keeps a finding. */
  set<K extends keyof Found>(name: K, value: Found[K]): void {
    this.#found[name] = value;
  }

  /** A finding that an earlier check may have made. */
  find<K extends keyof Found>(name: K): Found[K] | undefined {
    return this.#found[name];
  }

  /** A finding of a check that this one needs. */
  get<K extends keyof Found>(name: K): Found[K] {
    const value = this.#found[name];
    if (value === undefined) throw new Error(`no check has found the ${name}`);
    return value;
  }

  /** One row of the server's; a cancel request ends it when it takes too long. */
  async row<Row extends QueryResultRow>(sql: string): Promise<Row> {
    const { rows } = await this.get('pool').query<Row>(sql);
    const [row] = rows;
    if (row === undefined) throw new Error('the server answered without a row');
    return row;
  }

  /** Closes what is open. */
  async close(): Promise<void> {
    await this.#found.pool?.end();
  }
}
