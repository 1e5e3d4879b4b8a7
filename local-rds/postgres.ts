import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { serverAccount, type Account } from './account.js';
import { Guard } from './guard.js';
import { findPrograms, type Programs } from './native.js';
import { becomesTrue, childrenOf, hasEnded, isAlive, signal } from './processes.js';
import {
  LOOPBACK,
  freePort,
  initdbArguments,
  settingArguments,
  writeConfiguration,
  type PostgresOptions,
} from './postgres-setup.js';
import { makeRunFolder, writePrivate } from './run-folder.js';

export type { PostgresOptions };

/** `fast` ends sessions with 57P01, `immediate` ends them without clean-up, `smart` waits for clients. */
export type ShutdownMode = 'fast' | 'immediate' | 'smart';

const SUPERUSER = 'postgres';
const SIGNALS: Record<ShutdownMode, NodeJS.Signals> = {
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
  smart: 'SIGTERM',
};
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const MAX_LOG_CHARACTERS = 64 * 1024;
const PORT_ATTEMPTS = 5;

/**
 * Starts a new PostgreSQL server in a temporary folder, listening on 127.0.0.1 and a private unix socket; throws an
 * error with the reason if it cannot.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<LocalPostgres> {
  if (options.requireSsl && !options.ssl) throw new Error('requireSsl needs ssl: the certificate and key');
  const account = serverAccount();
  const programs = await findPrograms(account);
  const folder = await makeRunFolder(account);
  const postgres = new LocalPostgres(options, { account, programs, folder });
  try {
    await postgres.initialise();
    await postgres.start();
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

/** A running PostgreSQL server, with methods to restart, kill and demote it. */
export class LocalPostgres {
  /** Address of the TCP port. */
  readonly host = LOOPBACK;
  /** Folder of the unix socket; local connections are trusted. */
  readonly socketDir: string;
  /** The superuser. */
  readonly user = SUPERUSER;
  /** The superuser's password for TCP (SCRAM), random. */
  readonly password = randomBytes(18).toString('base64url');
  /** The superuser's database. */
  readonly database = 'postgres';

  readonly #options: PostgresOptions;
  readonly #account: Account | undefined;
  readonly #programs: Programs;
  readonly #folder: string;
  readonly #guard: Guard;
  #port: number;
  #server: ChildProcess | undefined;
  #removed = false;
  #lastLog = '';

  /** @internal */
  constructor(
    options: PostgresOptions,
    place: { account: Account | undefined; programs: Programs; folder: string },
  ) {
    this.#options = options;
    this.#account = place.account;
    this.#programs = place.programs;
    this.#folder = place.folder;
    this.#guard = new Guard(place.folder);
    this.#port = options.port ?? 0;
    this.socketDir = place.folder;
  }

  /** TCP port. */
  get port(): number {
    return this.#port;
  }

  /** Process ID of the postmaster; `undefined` while it is down. */
  get pid(): number | undefined {
    return this.#server && !hasEnded(this.#server) ? this.#server.pid : undefined;
  }

  /** The last 64 K characters of the server's log. */
  log(): string {
    if (this.#removed) return this.#lastLog;
    try {
      return readFileSync(this.#path('log'), 'utf8').slice(-MAX_LOG_CHARACTERS);
    } catch {
      return '';
    }
  }

  /** Runs SQL as superuser over the unix socket, on a new connection; `database` defaults to `postgres`. */
  async query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    values?: unknown[],
    database = this.database,
  ): Promise<pg.QueryResult<Row>> {
    const client = new pg.Client({
      host: this.socketDir,
      port: this.port,
      user: this.user,
      password: this.password,
      database,
      ssl: false,
    });
    // Losing the connection after the query does not matter; losing it during the query rejects the query.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.query<Row>(sql, values);
    } finally {
      await client.end();
    }
  }

  /** Starts the server again with the same data and port; does nothing while it runs; throws after `stop()`. */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    if (this.#removed) {
      throw new Error('this PostgreSQL is stopped and its data removed; stop({ keepData: true }) keeps them');
    }
    const fixed = this.#port !== 0;
    for (let attempt = 1; ; attempt += 1) {
      if (!fixed) this.#port = await freePort();
      const failure = await this.#launch();
      if (failure === undefined) return;
      const portTaken = failure.includes('Address already in use');
      // Another process may take a free port before the server binds it.
      if (portTaken && !fixed && attempt < PORT_ATTEMPTS) continue;
      throw new Error(
        `cannot start PostgreSQL: ${portTaken ? `port ${this.#port} on ${LOOPBACK} is taken` : 'the server ended'}:\n${failure}`,
      );
    }
  }

  /**
   * Shuts the server down, by default with `fast`, and with stronger signals if it does not end within 10 s; removes
   * its data unless `keepData`.
   */
  async stop({
    mode = 'fast',
    keepData = false,
  }: { mode?: ShutdownMode; keepData?: boolean } = {}): Promise<void> {
    await this.#shutDown(mode);
    if (keepData || this.#removed) return;
    this.#lastLog = this.log();
    this.#removed = true;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    this.#guard.release();
  }

  /** Shuts the server down (by default with `fast`) and starts it again with the same data and port. */
  async restart({ mode = 'fast' }: { mode?: ShutdownMode } = {}): Promise<void> {
    await this.stop({ mode, keepData: true });
    await this.start();
  }

  /**
   * Shuts the server down and starts it again as a standby that follows no primary but accepts queries, until
   * `select pg_promote()`.
   */
  async demote({ mode = 'fast' }: { mode?: ShutdownMode } = {}): Promise<void> {
    await this.stop({ mode, keepData: true });
    await writePrivate(this.#path('data/standby.signal'), '', this.#account);
    await this.start();
  }

  /** Kills the postmaster and its backends, like a power cut; resolves once all have ended; `start()` recovers. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (!server?.pid || hasEnded(server)) return;
    // Listed first, because they lose their parent. Killed as well, so that none sends its client a final message.
    const children = childrenOf(server.pid);
    server.kill('SIGKILL');
    for (const child of children) signal(child, 'SIGKILL');
    await becomesTrue(() => hasEnded(server) && !children.some(isAlive), STOP_TIMEOUT_MS);
    this.#guard.watch(undefined);
  }

  /** Calls `stop()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @internal Creates the data folder. */
  async initialise(): Promise<void> {
    const passwordFile = this.#path('password');
    await writePrivate(passwordFile, `${this.password}\n`, this.#account);
    const initdb = this.#spawn(
      this.#programs.initdb,
      initdbArguments(this.#path('data'), this.user, passwordFile),
    );
    await becomesTrue(() => hasEnded(initdb), START_TIMEOUT_MS);
    this.#guard.watch(undefined);
    if (initdb.exitCode !== 0) {
      initdb.kill('SIGKILL');
      throw new Error(`cannot start PostgreSQL: initdb failed:\n${this.log()}`);
    }
    await rm(passwordFile);
    await writeConfiguration(this.#folder, this.#options, this.#account);
  }

  /** Starts the server once; resolves with its log if it ends instead of becoming ready. */
  async #launch(): Promise<string | undefined> {
    // No other process starts a server on this folder, so a lock file must be that of a killed server.
    rmSync(this.#path('data/postmaster.pid'), { force: true });
    for (const suffix of ['', '.lock']) {
      rmSync(this.#path(`.s.PGSQL.${this.#port}${suffix}`), { force: true });
    }
    const logStart = this.log().length;
    const server = this.#spawn(this.#programs.postgres, [
      ...['-D', this.#path('data'), '-h', LOOPBACK, '-p', String(this.#port), '-k', this.socketDir],
      ...settingArguments(this.#folder, this.#options),
    ]);
    this.#server = server;
    await becomesTrue(() => hasEnded(server) || this.#isReady(), START_TIMEOUT_MS);
    if (!hasEnded(server) && this.#isReady()) return undefined;
    server.kill('SIGKILL');
    await becomesTrue(() => hasEnded(server), STOP_TIMEOUT_MS);
    this.#guard.watch(undefined);
    const log = this.log();
    return log.length > logStart ? log.slice(logStart) : log;
  }

  // pg_ctl waits for the same eighth line of the lock file; it is `standby` on a standby that accepts queries.
  #isReady(): boolean {
    try {
      const status = readFileSync(this.#path('data/postmaster.pid'), 'utf8').split('\n')[7]?.trim();
      return status === 'ready' || status === 'standby';
    } catch {
      return false;
    }
  }

  #spawn(program: string, arguments_: string[]): ChildProcess {
    const log = openSync(this.#path('log'), 'a', 0o600);
    const ids = this.#account && { uid: this.#account.uid, gid: this.#account.gid };
    try {
      const child = spawn(program, arguments_, {
        ...ids,
        // Not our own environment: PGDATA, PGPORT and the like would affect the server.
        env: { LC_ALL: 'C', TZ: 'UTC', PATH: process.env['PATH'] ?? '' },
        cwd: this.#folder,
        stdio: ['ignore', log, log],
        // Not in the terminal's process group, so that Ctrl-C reaches only the parent.
        detached: true,
      });
      child.on('error', () => undefined);
      child.unref();
      this.#guard.watch(child.pid);
      return child;
    } finally {
      closeSync(log);
    }
  }

  async #shutDown(mode: ShutdownMode): Promise<void> {
    const server = this.#server;
    if (!server || hasEnded(server)) return;
    for (const name of [SIGNALS[mode], 'SIGINT', 'SIGQUIT'] as const) {
      server.kill(name);
      if (await becomesTrue(() => hasEnded(server), STOP_TIMEOUT_MS)) break;
    }
    if (hasEnded(server)) this.#guard.watch(undefined);
    else await this.kill();
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
