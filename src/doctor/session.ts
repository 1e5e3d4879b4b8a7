import type { QueryResultRow } from 'pg';
import type { Unchecked } from '../settings/checks.js';
import type { Config } from '../settings/config.js';
import type { Place } from '../settings/hosts.js';
import type { PoolSettings } from '../settings/pool-settings.js';
import type { InstrumentedPool } from '../pool/pool.js';
import type { TlsPlan } from '../connection/tls.js';
import { ForeignText } from '../cli/foreign-text.js';

/** The settings to check, as given and not yet validated. */
export interface Settings {
  readonly config: Unchecked<Config>;
  /** The origin of each field that is set in the config: a flag, a variable, a default. */
  readonly origins: Readonly<Partial<Record<keyof Config, string>>>;
  /** The file of root certificates that a flag names. */
  readonly caFile: string | undefined;
  /** The database's own name, if another one is dialled; the port defaults to the dialled one. */
  readonly signAt?: { readonly host: string; readonly port: unknown } | undefined;
  readonly max: number;
  /** In milliseconds, for this host. */
  readonly timeoutMs: number;
  /** Whether this host is one of several, or its kind is judged separately: then a standby needs no warning. */
  readonly kindIsJudged?: boolean | undefined;
}

/** The source of the credentials that tokens are made with, as far as other checks need it. */
export interface CredentialSource {
  /** The service that returned them over HTTP, whose clock can be compared. */
  readonly service: URL | undefined;
  /** Unix time in milliseconds at which they expire; undefined if they do not. */
  readonly expireAtMs: number | undefined;
}

/** Findings that later checks build on. */
interface Found {
  /** The valid config; settings that stand for a value to detect are replaced with that value. */
  config: Config & Place;
  poolSettings: PoolSettings;
  tls: TlsPlan;
  /** Where root certificates come from. */
  rootsSource: string;
  addresses: readonly { readonly address: string; readonly family: number }[];
  /** The first address that accepts connections. */
  address: string;
  credentials: CredentialSource;
  /** How far this machine's clock is ahead of a service's, in milliseconds. */
  clock: { readonly aheadMs: number; readonly of: string };
  /** Logged in. */
  pool: InstrumentedPool;
}

/** One run: its settings, the findings so far, and the pool to close. */
export class Session {
  readonly text = new ForeignText();
  readonly #found: Partial<Found> = {};

  constructor(
    readonly settings: Settings,
    readonly env: NodeJS.ProcessEnv,
    /** More variables whose values are secrets. */
    secrets: readonly string[] = [],
  ) {
    // Hidden in every message that contains them.
    for (const name of ['PGPASSWORD', ...secrets]) this.text.hide(env[name]);
  }

  /** Keeps a finding. */
  set<K extends keyof Found>(name: K, value: Found[K]): void {
    this.#found[name] = value;
  }

  /** A finding, if an earlier check has made it. */
  find<K extends keyof Found>(name: K): Found[K] | undefined {
    return this.#found[name];
  }

  /** A finding of a check that this one depends on. */
  get<K extends keyof Found>(name: K): Found[K] {
    const value = this.#found[name];
    if (value === undefined) throw new Error(`no check has found the ${name}`);
    return value;
  }

  /** The database's own name and port, for which tokens are signed and certificates verified. */
  get endpoint(): { readonly host: string; readonly port: number } {
    const { host, port } = this.get('config');
    const { signAt } = this.settings;
    return signAt === undefined
      ? { host, port }
      : { host: signAt.host, port: (signAt.port as number | undefined) ?? port };
  }

  /** The first row of a query's result; a query that takes too long is cancelled. */
  async row<Row extends QueryResultRow>(sql: string): Promise<Row> {
    const { rows } = await this.get('pool').query<Row>(sql);
    const [row] = rows;
    if (row === undefined) throw new Error('the server answered without a row');
    return row;
  }

  /** Closes the pool, if there is one. */
  async close(): Promise<void> {
    await this.#found.pool?.end();
  }
}
