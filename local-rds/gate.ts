import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve, type Backend, type SessionPolicy } from './gate-session.js';
import { GateCounter, type GateStats } from './gate-stats.js';
import type { LoginVerifier, ServerFailure } from './login-verifier.js';
import type { SecretKey } from './sigv4-signature.js';
import { WRONG_ENDPOINT, verifyToken } from './sigv4.js';
import { resetSocket } from './reset-socket.js';

/** Options of a gate. */
export interface GateOptions {
  /** The real server behind the gate. */
  readonly backend: Backend;
  /** Certificate and key (PEM); without them, the gate offers no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Refuses unencrypted logins, as `rds.force_ssl` does; default true if `tls` is given. */
  readonly requireTls?: boolean;
  /** Address to listen on; default `127.0.0.1`. */
  readonly host?: string;
  /** Port to listen on; default a free one, which is kept across `pause()`. */
  readonly port?: number;
  /** Host names for which a token may be signed; default `localhost`. */
  readonly advertisedHost?: string | readonly string[];
  /** Port for which a token must be signed, if another port is forwarded to the gate; default the gate's port. */
  readonly advertisedPort?: number;
  readonly region: string;
  /** The users who log in with tokens: the members of `rds_iam`. */
  readonly iamUsers: Iterable<string> | ((user: string) => boolean | Promise<boolean>);
  /** Looks up an access key that is valid at `now`, the gate's clock. */
  readonly credentials: (accessKeyId: string, now: Date) => SecretKey | undefined;
  /** The verifier for a user outside `rds_iam`; `undefined` if PostgreSQL verifies the password. Default none. */
  readonly verifierOf?: (user: string) => LoginVerifier | undefined;
}

/** Faults that can be set at run time; a change affects later connections and messages only. */
export interface GateControls {
  /** Delay before a startup message is answered, in milliseconds; default 0. */
  delayMs: number;
  /** Resets new connections immediately; default false. */
  refuse: boolean;
  /** Accepts new connections and never answers; default false. */
  blackhole: boolean;
  /** Rejects every token, regardless of the verifier; default false. */
  rejectTokens: boolean;
  /** Answers every startup message with this error, for instance 57P03 or 53300; default none. */
  fatal: ServerFailure | undefined;
  /** The clock for verifying tokens; default the system's. */
  clock: () => Date;
  /** Host names for which a token may be signed. */
  advertisedHost: string | readonly string[];
}

const RESUME_ATTEMPTS = 20;

/**
 * Starts a gate that implements PostgreSQL's start-up protocol, verifies RDS IAM tokens and forwards everything else;
 * throws if it cannot listen.
 */
export async function startGate(options: GateOptions): Promise<Gate> {
  const gate = new Gate(options);
  await gate.resume();
  return gate;
}

/** A listening gate. */
export class Gate {
  readonly #options: GateOptions;
  readonly #controls: GateControls;
  readonly #policy: SessionPolicy;
  readonly #counter = new GateCounter();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port: number;
  #listened = false;
  #secureContext: SecureContext | undefined;

  /** @internal */
  constructor(options: GateOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#controls = {
      delayMs: 0,
      refuse: false,
      blackhole: false,
      rejectTokens: false,
      fatal: undefined,
      clock: () => new Date(),
      advertisedHost: options.advertisedHost ?? 'localhost',
    };
    this.#policy = this.#makePolicy();
    if (options.tls) this.useCertificate(options.tls);
  }

  /** The port it listens on; unchanged by `pause()` and `resume()`. */
  get port(): number {
    return this.#port;
  }

  /** The first host name for which a token may be signed. */
  get host(): string {
    return [this.#controls.advertisedHost].flat()[0] ?? 'localhost';
  }

  /** Changes the given controls and keeps the others. */
  set(controls: Partial<GateControls>): void {
    Object.assign(this.#controls, controls);
  }

  /**
   * Presents another certificate (PEM) to new connections, for instance with another name, validity or authority;
   * throws if the key does not match it.
   */
  useCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
    this.#secureContext = createSecureContext({ cert, key });
  }

  /** The current counts. */
  stats(): GateStats {
    return this.#counter.snapshot(this.#sockets.size);
  }

  /** Resets every open connection; new ones are still served. */
  dropConnections(): void {
    for (const socket of this.#sockets) resetSocket(socket);
  }

  /** Stops listening: the operating system refuses new connections; open ones stay. */
  pause(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Listens again on the same port; throws if the port is taken. */
  async resume(): Promise<void> {
    if (this.#server) return;
    for (let attempt = 1; ; attempt += 1) {
      const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
      try {
        await listen(server, this.#port, this.#options.host ?? '127.0.0.1');
        this.#server = server;
        this.#listened = true;
        this.#port = (server.address() as AddressInfo).port;
        return;
      } catch (cause) {
        // During the pause, an outgoing connection may have taken the port for a moment.
        if (!this.#listened || attempt === RESUME_ATTEMPTS) {
          throw new Error(`the gate cannot listen on port ${this.#port}`, { cause });
        }
        await sleep(100);
      }
    }
  }

  /** Stops listening and closes every connection. */
  close(): void {
    this.pause();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#counter.connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    if (this.#controls.refuse) resetSocket(socket);
    else if (!this.#controls.blackhole) void serve(socket, this.#policy);
  }

  #makePolicy(): SessionPolicy {
    const { backend, tls, iamUsers, verifierOf } = this.#options;
    const members = typeof iamUsers === 'function' ? undefined : new Set(iamUsers);
    const isMember = (user: string) =>
      typeof iamUsers === 'function' ? iamUsers(user) : (members?.has(user) ?? false);
    const rdsIam: LoginVerifier = {
      judge: (token, user, now) => this.#judge(token, user, now),
      refusal: (user) => ({ code: '28000', message: `PAM authentication failed for user "${user}"` }),
    };
    return {
      backend,
      secureContext: () => this.#secureContext,
      requireTls: this.#options.requireTls ?? tls !== undefined,
      delayMs: () => this.#controls.delayMs,
      startupFailure: () => this.#controls.fatal,
      verifierOf: async (user) => ((await isMember(user)) ? rdsIam : verifierOf?.(user)),
      judge: (verifier, password, user) => {
        const reason = this.#controls.rejectTokens
          ? 'all tokens are rejected'
          : verifier.judge(password, user, this.#controls.clock());
        this.#counter.countToken(password, reason);
        return reason === undefined ? undefined : verifier.refusal(user, reason);
      },
      countStartup: () => (this.#counter.startups += 1),
      countCancel: () => (this.#counter.cancels += 1),
    };
  }

  #judge(token: string, user: string, now: Date): string | undefined {
    const { region, advertisedPort } = this.#options;
    const port = advertisedPort ?? this.#port;
    const credentials = (accessKeyId: string) => this.#options.credentials(accessKeyId, now);
    let reason = 'no advertised host';
    for (const host of [this.#controls.advertisedHost].flat()) {
      const verdict = verifyToken(token, { host, port, user, region, now, credentials });
      if (verdict.ok) return undefined;
      // A fault found with the host it was signed for is more useful than "signed for another host".
      reason = verdict.reason;
      if (reason !== WRONG_ENDPOINT) break;
    }
    return reason;
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
