import { isIP } from 'node:net';
import { Deadline, untilAborted } from '../deadline.js';
import { ConfigError } from '../errors.js';
import { isRejectedLogin } from '../foreign-error.js';
import type { ConnectContext, ConnectTarget, DialFunction, TokenSource } from '../hooks.js';
import type { AttemptObserver, ConnectPhase } from '../observer.js';
import { checkedAnswer, tellRejected } from '../issued-login.js';
import { tokenInClear } from '../settings/config-checks.js';
import { whenAddressHeldUp } from './addresses.js';
import type { ClosingSockets } from './closing-sockets.js';
import { tellOfDirectTls, unconfirmed } from './direct-tls.js';
import { connectClient, createClient, keepServername, type DriverClient } from './driver.js';
import { connectTimeout, withText } from './error-text.js';
import { closeReasonOf } from './failed-attempt.js';
import type { DialedHost } from './hosts/dialed-host.js';
import type { DialPlan } from './plan.js';
import { PooledConnection } from './pooled-connection.js';
import { convertLeafOnly, serverName } from './tls.js';
import {
  openTransport,
  streamSettings,
  useStream,
  type OpenTransport,
  type Transport,
  type WayToServer,
} from './transport.js';

/** An address was given up because the event loop stalled; this error is never reported. */
const HELD_UP = new Error('held up');

/** One connection attempt under one deadline: hook, check, dial, TLS, login, afterConnect. */
export class Dial implements ConnectContext {
  readonly #plan: DialPlan;
  readonly #observer: AttemptObserver;
  readonly #closing: ClosingSockets;
  readonly #host: DialedHost | undefined;
  readonly #controller = new AbortController();
  readonly #startedAt = performance.now();
  #phase: ConnectPhase = 'hook';
  #socketOpened = false;
  #connection: PooledConnection | undefined;
  #tokenSource: TokenSource | undefined;
  /** Unix time in milliseconds at which the password of this attempt expires, if connections are retired then. */
  #passwordEndsAtMs: number | undefined;

  constructor(plan: DialPlan, observer: AttemptObserver, closing: ClosingSockets, host?: DialedHost) {
    this.#host = host;
    this.#plan = plan;
    this.#observer = observer;
    this.#closing = closing;
    if (plan.hookIsToken) this.#phase = 'token';
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  /** The step that is under way, or that failed. */
  get phase(): ConnectPhase {
    return this.#phase;
  }

  /** Gives the attempt up; `run` rejects with `reason`. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Resolves with a connection that is logged in and initialised; rejects with the error of the step that failed. */
  async run(): Promise<PooledConnection> {
    const connectTimeoutMs = this.#host?.timeoutMs ?? this.#plan.connectTimeoutMs;
    const late = (): void => {
      const provider = this.#phase === 'token' ? this.#tokenSource?.provider : undefined;
      this.abort(connectTimeout(connectTimeoutMs, this.#phase, provider));
    };
    const deadline = new Deadline(connectTimeoutMs, late, true);
    try {
      const connection = await this.#connect();
      this.#observer.connected(performance.now() - this.#startedAt);
      return connection;
    } catch (thrown) {
      const error = withText(thrown, this.#phase);
      if (this.#phase === 'tls' && this.#plan.settings.sslnegotiation === 'direct') tellOfDirectTls(error);
      if (this.#connection !== undefined) this.#closing.close(this.#connection.client);
      if (this.#phase === 'auth' && isRejectedLogin(error)) tellRejected(this.#tokenSource);
      const closed = this.#socketOpened ? closeReasonOf(error, this.#phase, this.#connection) : undefined;
      const phase = (error as { syscall?: unknown }).syscall === 'getaddrinfo' ? 'dns' : this.#phase;
      this.#observer.failed(performance.now() - this.#startedAt, error, phase, closed);
      throw error as Error;
    } finally {
      deadline.clear();
    }
  }

  async refreshToken(source: TokenSource, refresh: () => Promise<string>): Promise<string> {
    this.#tokenSource = source;
    const phase = this.#phase;
    this.#phase = 'token';
    const token = await this.#observer.token(source, async () => checkedAnswer(source, await refresh()));
    this.#phase = phase === 'token' ? 'hook' : phase;
    return token;
  }

  passwordExpires(at: Date): void {
    if (!this.#plan.retireAtExpiry && !this.#tokenSource?.retireAtExpiry) return;
    const endMs = at.getTime();
    if (!Number.isFinite(endMs)) throw new ConfigError('passwordExpires takes a Date');
    this.#passwordEndsAtMs = endMs;
  }

  async #connect(): Promise<PooledConnection> {
    // Hooks must not run synchronously within the acquirer's call.
    await Promise.resolve();
    const connection = await this.#dialed();
    if (this.#host !== undefined) await this.#accepted(this.#host, connection);
    await this.#initialise(connection);
    if (connection.client._ending) throw new Error('afterConnect ended its client');
    if (connection.lostWith !== undefined) throw connection.lostWith as Error;
    if (this.#passwordEndsAtMs !== undefined) connection.retireBefore(this.#passwordEndsAtMs);
    return connection;
  }

  /** A connection that is logged in. */
  async #dialed(): Promise<PooledConnection> {
    const target = await this.#target();
    try {
      return await this.#dial(target);
    } catch (error) {
      const rejected = this.#phase === 'auth' && isRejectedLogin(error);
      if (!rejected || this.#tokenSource?.retryChanged !== true) throw error;
      const changed = await this.#changed(target);
      if (changed === undefined) throw error;
      if (this.#connection !== undefined) this.#closing.close(this.#connection.client);
      return await this.#dial(changed);
    }
  }

  /** A login other than the rejected one, if its source has one by now. */
  async #changed({ user, password }: ConnectTarget): Promise<ConnectTarget | undefined> {
    try {
      const target = await this.#target();
      if (target.password !== password || target.user !== user) return target;
    } catch {
      // The rejection is more informative, unless the attempt was given up meanwhile.
      if (this.signal.aborted) throw this.signal.reason;
    }
    this.#phase = 'auth';
    return undefined;
  }

  /** The server and the user to log in with, after the hook has run. */
  async #target(): Promise<ConnectTarget> {
    this.#passwordEndsAtMs = undefined;
    const given = this.#plan.target(this.#host?.group);
    const { beforeConnect, hookIsToken } = this.#plan;
    if (beforeConnect !== undefined) {
      const hook = async (): Promise<void> => beforeConnect(given, this);
      await this.#bounded(() => (hookIsToken ? hook() : this.#observer.hook(hook)));
    }
    // A copy, because the hook may change its target after the check, or may have frozen it.
    const target = { ...given };
    this.#plan.check(target);
    if (!target.password && this.#tokenSource === undefined) {
      target.password = await this.#bounded(() => this.#plan.findPassword(target));
    }
    return target;
  }

  async #dial(target: ConnectTarget): Promise<PooledConnection> {
    const { host, port, database } = target;
    const ssl = this.#plan.finishTls(target.ssl, host);
    const { transport } = this.#plan;
    this.#observer.dialing({ host, port, database, tls: ssl !== false });
    if (transport !== undefined) return this.#dialThrough(transport, { ...target, ssl });
    const first = this.#build({ ...target, ssl });
    try {
      await this.#bounded(() => this.#login(first.client, true));
      return first;
    } catch (error) {
      if (error !== HELD_UP) throw error;
      // Nothing was sent, so the addresses are tried again.
      this.#closing.close(first.client);
    }
    const second = this.#build({ ...target, ssl });
    await this.#bounded(() => this.#login(second.client, false));
    return second;
  }

  async #dialThrough(dial: DialFunction, target: ConnectTarget): Promise<PooledConnection> {
    const { host, port, user, database, ssl } = target;
    const open: OpenTransport = (signal) =>
      openTransport(dial, { host, port, user, database, tls: ssl !== false }, signal);
    this.#phase = 'tcp';
    const transport = await this.#bounded(() => open(this.signal));
    const { stream, encrypted } = transport;
    this.#socketOpened = true;
    if (encrypted) this.#observer.dialing({ host, port, database, tls: true });
    else if (ssl === false && this.#plan.hookIsToken) {
      stream.destroy();
      throw tokenInClear();
    }
    const named = ssl && { ...serverName(host), ...ssl };
    const connection = this.#build({ ...target, ssl: encrypted ? false : named }, { open, ssl }, transport);
    await this.#bounded(() => this.#login(connection.client, false));
    return connection;
  }

  /** Makes the connection's client; `target.ssl` must already be completed for the host. */
  #build(target: ConnectTarget, way?: WayToServer, transport?: Transport): PooledConnection {
    const { host, port, user, database, password } = target;
    // The address is dialled unless the hook has chosen another host.
    const address = this.#host?.group.host === host ? this.#host.address : undefined;
    const ssl = address === undefined ? target.ssl : target.ssl && { ...serverName(host), ...target.ssl };
    const client = createClient(this.#plan.Client, {
      ...this.#plan.settings,
      ...(transport && streamSettings(transport.stream)),
      host,
      port,
      user,
      database,
      ssl,
      // A transport may be encrypted already.
      ...(ssl === false && { sslnegotiation: 'postgres' }),
      // A function, because for an empty string the driver would use the environment.
      password: () => this.#answer(password),
    });
    const { connection } = client;
    if (transport !== undefined) useStream(connection, transport.stream);
    else if (address !== undefined) keepServername(client, address);
    else if (ssl !== false && ssl.servername !== undefined && ssl.servername !== host && isIP(host) === 0) {
      keepServername(client);
    }
    connection.once('connect', () => {
      this.#socketOpened = true;
      this.#phase = ssl === false ? 'auth' : 'tls';
      this.#observer.peer(connection.stream.remoteAddress ?? '');
    });
    // Only with TLS: a listener that is never called would keep the attempt in memory as long as its connection.
    if (ssl !== false) {
      connection.once('sslconnect', () => {
        convertLeafOnly(connection.stream, ssl);
        connection.stream.once('secureConnect', () => {
          this.#phase = 'auth';
          const error = connection.sslNegotiation === 'direct' && unconfirmed(connection.stream);
          if (error) this.abort(error);
        });
      });
    }
    if (ssl === false && transport?.encrypted !== true && this.#tokenSource !== undefined) {
      const text = 'the server asks for the token in clear text on an unencrypted connection';
      connection.prependListener('authenticationCleartextPassword', () => this.abort(new ConfigError(text)));
    }
    this.#connection = new PooledConnection(client, this.#closing, way);
    this.#host?.built(this.#connection);
    return this.#connection;
  }

  /** The answer to the server's request for a password. */
  #answer(password: string): string {
    if (this.signal.aborted) throw this.signal.reason as Error;
    if (password === '') throw new ConfigError(this.#plan.noPassword());
    return password;
  }

  /** Rejects with `HELD_UP` if `again` is set and a stall of the event loop makes another try worthwhile. */
  #login(client: DriverClient, again: boolean): Promise<void> {
    this.#phase = 'tcp';
    return new Promise((resolve, reject) => {
      if (again && isIP(client.host) === 0)
        whenAddressHeldUp(client.connection.stream, () => reject(HELD_UP));
      connectClient(client, (error) => {
        // The driver keeps copies in plain text, which are not needed after the login.
        (client as { password: unknown }).password = null;
        client.connectionParameters.password = null;
        if (error == null) resolve();
        else reject(error);
      });
    });
  }

  async #accepted(host: DialedHost, connection: PooledConnection): Promise<void> {
    await this.#bounded(() => host.accept(connection));
    connection.host = host.group;
  }

  async #initialise(connection: PooledConnection): Promise<void> {
    const { afterConnect } = this.#plan;
    if (afterConnect === undefined) return;
    this.#phase = 'init';
    const { client } = connection;
    client.release = () => undefined;
    await this.#bounded(() => this.#observer.init(async () => afterConnect(client, { signal: this.signal })));
  }

  /** Settles with `step`, or at once when the attempt is given up; a later outcome is ignored. */
  #bounded<T>(step: () => Promise<T>): Promise<T> {
    const { signal } = this;
    return signal.aborted ? Promise.reject(signal.reason as Error) : untilAborted(step(), signal);
  }
}
