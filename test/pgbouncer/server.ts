import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { serverAccount } from '../../local-rds/account.js';
import { Guard } from '../../local-rds/guard.js';
import { freePort, LOOPBACK } from '../../local-rds/postgres-setup.js';
import type { LocalPostgres } from '../../local-rds/postgres.js';
import { hasEnded } from '../../local-rds/processes.js';
import { makeRunFolder, writePrivate } from '../../local-rds/run-folder.js';
import { accepts } from '../support/listening.js';
import { until } from '../support/until.js';

/** How PgBouncer assigns its connections to the server; each mode has a database with its name. */
export type PoolMode = 'session' | 'transaction' | 'statement';
/** Settings of the section `[pgbouncer]`, which add to those of the tests or replace them. */
export type PgbouncerSettings = Readonly<Record<string, string | number>>;

export const MODES: readonly PoolMode[] = ['session', 'transaction', 'statement'];
const PROGRAM = process.env['PGBOUNCER'] ?? 'pgbouncer';

/** Whether this PgBouncer has `max_prepared_statements`: from 1.21 on. */
export function knowsNamedStatements(): boolean {
  const [, minor = 0] =
    /PgBouncer 1\.(\d+)/.exec(execFileSync(PROGRAM, ['--version'], { encoding: 'utf8' })) ?? [];
  return Number(minor) >= 21;
}

/**
 * Starts a PgBouncer in front of a server for the calling file's tests and stops it after them; returns a function that
 * returns it. The tests fail if it cannot start.
 */
export function usePgbouncer(server: () => LocalPostgres, settings: PgbouncerSettings = {}): () => Pgbouncer {
  let pgbouncer: Pgbouncer | undefined;
  beforeAll(async () => {
    pgbouncer = new Pgbouncer(server());
    await pgbouncer.configure(settings);
    await pgbouncer.start();
  });
  afterAll(() => pgbouncer?.remove());
  return () => {
    if (!pgbouncer) throw new Error('the PgBouncer of this file is not running yet');
    return pgbouncer;
  };
}

/** A PgBouncer with a database for each mode. */
export class Pgbouncer {
  readonly host = LOOPBACK;
  readonly user: string;
  readonly password: string;
  // Like PostgreSQL, PgBouncer refuses to run as root.
  readonly #account = serverAccount();
  readonly #server: LocalPostgres;
  #port = 0;
  #folder = '';
  #guard: Guard | undefined;
  #process: ChildProcess | undefined;

  constructor(server: LocalPostgres) {
    this.#server = server;
    this.user = server.user;
    this.password = server.password;
  }

  /** The login. */
  get login(): { user: string; password: string; database: string } {
    return { user: this.user, password: this.password, database: 'session' };
  }

  get port(): number {
    return this.#port;
  }

  /** Its log. */
  log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  /** Makes its folder and files; the value of a setting that is PEM is written to a file, and replaced by the path. */
  async configure(settings: PgbouncerSettings): Promise<void> {
    this.#port = await freePort();
    this.#folder = await makeRunFolder(this.#account);
    this.#guard = new Guard(this.#folder);
    const written: Record<string, string | number> = {};
    for (const [name, value] of Object.entries(settings)) {
      const isFile = String(value).startsWith('-----BEGIN');
      written[name] = isFile ? await this.#write(`${name}.pem`, String(value)) : value;
    }
    const all: PgbouncerSettings = {
      listen_addr: LOOPBACK,
      listen_port: this.#port,
      unix_socket_dir: '',
      auth_type: 'scram-sha-256',
      auth_file: await this.#write('users', `"${this.user}" "${this.password}"\n`),
      admin_users: this.user,
      // Retry quickly: by default, a server that was down would count as down for 15 s more.
      server_login_retry: 1,
      ...written,
    };
    const { host, port, database } = this.#server;
    const databases = MODES.map(
      (mode) => `${mode} = host=${host} port=${port} dbname=${database} pool_mode=${mode}`,
    );
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
    await this.#write('ini', ['[databases]', ...databases, '[pgbouncer]', ...lines, ''].join('\n'));
  }

  /** Starts it, on the same port as before. */
  async start(): Promise<void> {
    const log = openSync(join(this.#folder, 'log'), 'a');
    const ids = this.#account && { uid: this.#account.uid, gid: this.#account.gid };
    const started = spawn(PROGRAM, [join(this.#folder, 'ini')], {
      ...ids,
      cwd: this.#folder,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    let failure: Error | undefined;
    started.on('error', (error) => (failure = error));
    this.#process = started;
    this.#guard?.watch(started.pid);
    await until('PgBouncer listens', async () => {
      if (failure !== undefined || hasEnded(started)) {
        throw new Error(`cannot start PgBouncer:\n${this.log()}`, { cause: failure });
      }
      return accepts(this);
    });
  }

  /** Shuts it down, without waiting for its clients, and starts it again on the same port. */
  async restart(): Promise<void> {
    // Do not use signals, whose meanings differ between versions.
    await this.console('shutdown').catch(() => undefined);
    await this.#ended();
    await this.start();
  }

  /** Kills it, as when its machine goes down. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#ended();
  }

  /** Stops it and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
    this.#guard?.release();
  }

  /** Runs a command on its console. */
  async console(command: string): Promise<Record<string, unknown>[]> {
    const { host, port, user, password } = this;
    const client = new pg.Client({ host, port, user, password, database: 'pgbouncer', ssl: false });
    // SHUTDOWN ends the connection, whether it was answered or not.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(command)).rows;
    } finally {
      await client.end();
    }
  }

  /** A database's pool as its console shows it: clients and servers in each state. */
  async pool(database: PoolMode): Promise<Record<string, unknown>> {
    return (await this.console('show pools')).find((row) => row['database'] === database) ?? {};
  }

  async #ended(): Promise<void> {
    const ending = this.#process;
    if (ending === undefined) return;
    await until('PgBouncer has ended', () => hasEnded(ending));
    this.#guard?.watch(undefined);
  }

  async #write(name: string, text: string): Promise<string> {
    const path = join(this.#folder, name);
    await writePrivate(path, text, this.#account);
    return path;
  }
}
