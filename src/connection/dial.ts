import { isIP } from 'node:net';
import type { ClientConfig } from 'pg';
import { AuthError, ConfigError, ConnectTimeoutError, PoolEndedError } from '../errors.js';
import type { AfterConnect, BeforeConnect, ConnectContext, ConnectTarget, TokenSource } from '../hooks.js';
import type { AttemptObserver, CloseReason, ConnectPhase } from '../observer.js';
import { PooledConnection, isSqlState } from './pooled-connection.js';
import type { ClosingSockets } from './closing-sockets.js';
import {
  connectClient,
  createClient,
  keepServername,
  type ClientClass,
  type DriverClient,
} from './driver.js';

/** How connections of one pool are made. */
export interface DialPlan {
  /** A fresh copy for one attempt. */
  target(): ConnectTarget;
  /** Runs before anything is dialled. */
  readonly beforeConnect: BeforeConnect | undefined;
  /** `beforeConnect` is the pool's own token hook and nothing of the user's. */
  readonly hookIsToken: boolean;
  readonly afterConnect: AfterConnect | undefined;
  /** Throws when a target that a hook has changed must not be dialled. */
  check(target: ConnectTarget): void;
  /** The password of a target that has none, from the password file. */
  findPassword(target: ConnectTarget): Promise<string>;
  /** What to say when the server asks for a password and none was found. */
  readonly noPassword: string;
  /** The TLS options for the host that is dialled. */
  finishTls(ssl: ConnectTarget['ssl'], host: string): ConnectTarget['ssl'];
  readonly Client: ClientClass;
  /** The driver's own settings, the same for every connection. */
  readonly settings: ClientConfig;
  /** One attempt's deadline in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** One connection attempt under one deadline: hook, check, dial, TLS, login, afterConnect. */
export class Dial implements ConnectContext {
  readonly #plan: DialPlan;
  readonly #observer: AttemptObserver;
  readonly #controller = new AbortController();
  readonly #startedAt = performance.now();
  #phase: ConnectPhase = 'hook';
  #socketOpened = false;
  #connection: PooledConnection | undefined;
  #tokenSource: TokenSource | undefined;

  constructor(
    plan: DialPlan,
    observer: AttemptObserver,
    private readonly closing: ClosingSockets,
  ) {
    this.#plan = plan;
    this.#observer = observer;
    if (plan.hookIsToken) this.#phase = 'token';
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the attempt up; `run` rejects with `reason`. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Resolves with a connection that is logged in and initialised; rejects with the error of the step that failed. */
  async run(): Promise<PooledConnection> {
    const { connectTimeoutMs } = this.#plan;
    const deadline = setTimeout(() => {
      const source = this.#phase === 'token' ? this.#tokenSource : undefined;
      const prefix = source === undefined ? '' : `dynamic auth (${source.provider}): `;
      const text = `Connection terminated due to connection timeout after ${connectTimeoutMs} ms (${this.#phase})`;
      this.abort(new ConnectTimeoutError(prefix + text));
    }, connectTimeoutMs);
    try {
      const connection = await this.#connect();
      this.#observer.connected(performance.now() - this.#startedAt);
      return connection;
    } catch (thrown) {
      const error = thrown || new Error(`a hook threw ${String(thrown)}`);
      if (this.#connection !== undefined) this.closing.destroy(this.#connection.client);
      if (this.#phase === 'auth' && isRejectedLogin(error)) this.#tokenSource?.rejected?.();
      const closed = this.#socketOpened ? this.#closeReason(error) : undefined;
      const phase = (error as { syscall?: unknown }).syscall === 'getaddrinfo' ? 'dns' : this.#phase;
      this.#observer.failed(performance.now() - this.#startedAt, error, phase, closed);
      throw error as Error;
    } finally {
      clearTimeout(deadline);
    }
  }

  async refreshToken(source: TokenSource, refresh: () => Promise<string>): Promise<string> {
    this.#tokenSource = source;
    const phase = this.#phase;
    this.#phase = 'token';
    const token = await this.#observer.token(source, async () => checkToken(source, await refresh()));
    this.#phase = phase === 'token' ? 'hook' : phase;
    return token;
  }

  async #connect(): Promise<PooledConnection> {
    // The acquirer's own stack ends here: no hook is called from within its call.
    await Promise.resolve();
    const given = this.#plan.target();
    const { beforeConnect, hookIsToken } = this.#plan;
    if (beforeConnect !== undefined) {
      const hook = async (): Promise<void> => beforeConnect(given, this);
      await this.#bounded(() => (hookIsToken ? hook() : this.#observer.hook(hook)));
    }
    // What is checked is what is dialled, whatever the hook still does to its own, which it may also have frozen.
    const target = { ...given };
    this.#plan.check(target);
    if (!target.password && this.#tokenSource === undefined) {
      target.password = await this.#bounded(() => this.#plan.findPassword(target));
    }
    const connection = this.#build(target);
    await this.#bounded(() => this.#login(connection.client));
    await this.#initialise(connection);
    if (connection.client._ending) throw new Error('afterConnect ended its client');
    if (connection.lostWith !== undefined) throw connection.lostWith as Error;
    return connection;
  }

  #build(target: ConnectTarget): PooledConnection {
    const { host, port, user, database, password } = target;
    const ssl = this.#plan.finishTls(target.ssl, host);
    this.#observer.dialing({ host, port, database, tls: ssl !== false });
    const client = createClient(this.#plan.Client, {
      ...this.#plan.settings,
      host,
      port,
      user,
      database,
      ssl,
      // A function, so that no password of the environment is asked for in its place.
      password: () => this.#answer(password),
    });
    const { connection } = client;
    if (ssl !== false && ssl.servername !== undefined && ssl.servername !== host && isIP(host) === 0) {
      keepServername(client);
    }
    connection.once('connect', () => {
      this.#socketOpened = true;
      this.#phase = ssl === false ? 'auth' : 'tls';
      this.#observer.peer(connection.stream.remoteAddress ?? '');
    });
    // Only where it is fired: a listener that waits for ever would keep the attempt as long as its connection.
    if (ssl !== false) {
      connection.once('sslconnect', () => {
        connection.stream.once('secureConnect', () => {
          this.#phase = 'auth';
        });
      });
    }
    if (ssl === false && this.#tokenSource !== undefined) {
      connection.prependListener('authenticationCleartextPassword', () => {
        this.abort(
          new ConfigError('the server asks for the token in clear text on an unencrypted connection'),
        );
      });
    }
    return (this.#connection = new PooledConnection(client));
  }

  /** The answer to the server's request for a password. */
  #answer(password: string): string {
    if (this.signal.aborted) throw this.signal.reason as Error;
    if (password === '') throw new ConfigError(this.#plan.noPassword);
    return password;
  }

  #login(client: DriverClient): Promise<void> {
    this.#phase = 'tcp';
    return new Promise((resolve, reject) => {
      connectClient(client, (error) => {
        // The driver keeps plain copies; nothing needs them after login.
        (client as { password: unknown }).password = null;
        client.connectionParameters.password = null;
        if (error == null) resolve();
        else reject(error);
      });
    });
  }

  async #initialise(connection: PooledConnection): Promise<void> {
    const { afterConnect } = this.#plan;
    if (afterConnect === undefined) return;
    this.#phase = 'init';
    const { client } = connection;
    client.release = () => undefined;
    await this.#bounded(() => this.#observer.init(async () => afterConnect(client, { signal: this.signal })));
  }

  /** Settles with `step`, or at once when the attempt is given up; what comes later is ignored. */
  #bounded<T>(step: () => Promise<T>): Promise<T> {
    const { signal } = this;
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      step()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  #closeReason(error: unknown): CloseReason {
    if (error instanceof ConnectTimeoutError) return 'timeout';
    if (error instanceof PoolEndedError) return 'pool_end';
    if (this.#phase === 'init') return this.#lossReason() ?? 'hook';
    if (isRejectedLogin(error) || error instanceof ConfigError) return 'auth';
    return isSqlState((error as { code?: unknown }).code) ? 'server_closed' : 'network';
  }

  /** Why the connection was lost while the hook had it, unless the hook itself ended it. */
  #lossReason(): CloseReason | undefined {
    const { dismissal, lostWith, lossReason } = this.#connection ?? {};
    // A query rejects with the server's last word before the loss is seen.
    if (dismissal !== undefined) return 'server_closed';
    return lostWith === undefined || lossReason === 'released_with_error' ? undefined : lossReason;
  }
}

/** SQLSTATE class 28: invalid authorization. */
function isRejectedLogin(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return isSqlState(code) && code.startsWith('28');
}

/** Without a token there is nothing to dial for. */
function checkToken({ provider }: TokenSource, token: unknown): string {
  if (typeof token === 'string' && token !== '') return token;
  const what = token === '' ? 'an empty text' : 'no text';
  throw new AuthError(`dynamic auth (${provider}): the token is ${what}`);
}
