import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve, type Backend, type SessionPolicy } from './gate-session.js';
import { GateCounter, type GateStats } from './gate-stats.js';
import type { LoginVerifier, ServerFailure } from './login-verifier.js';
import type { SecretKey } from './sigv4-signature.js';
import { WRONG_ENDPOINT, verifyToken } from './sigv4.js';
import { resetSocket } from './reset-socket.js';

/** How a gate is set up. */
export interface GateOptions {
  /** The real server behind the gate. */
  readonly backend: Backend;
  /** Certificate and key (PEM); without them the gate answers that it has no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Refuses unencrypted startups, as `rds.force_ssl` does; default true when `tls` is given. */
  readonly requireTls?: boolean;
  /** Address to listen on; default `127.0.0.1`. */
  readonly host?: string;
  /** Port to listen on; default a free one, kept over `pause()`. */
  readonly port?: number;
  /** Names a token may be signed for; default `localhost`. */
  readonly advertisedHost?: string | readonly string[];
  /** Port a token must be signed for; default the port listened on; another when something forwards to it. */
  readonly advertisedPort?: number;
  readonly region: string;
  /** Whether a user logs in with a token: a member of `rds_iam`. */
  readonly iamUsers: Iterable<string> | ((user: string) => boolean | Promise<boolean>);
  /** Looks up an access key that is valid at `now`, the gate's clock. */
  readonly credentials: (accessKeyId: string, now: Date) => SecretKey | undefined;
  /** What verifies the passwords of users who are no members of `rds_iam`; undefined: PostgreSQL itself. Default none. */
  readonly verifierOf?: (user: string) => LoginVerifier | undefined;
}

/** What can be disturbed at run time; each change holds for what comes after it. */
export interface GateControls {
  /** Waits so many milliseconds before it answers a startup message; default 0. */
  delayMs: number;
  /** Resets new connections at once; default false. */
  refuse: boolean;
  /** Accepts new connections and never answers; default false. */
  blackhole: boolean;
  /** Rejects every token, whatever verifies it; default false. */
  rejectTokens: boolean;
  /** Answers every startup with this error, 57P03 or 53300 for instance; default none. */
  fatal: ServerFailure | undefined;
  /** The clock tokens are judged by; default the system's. */
  clock: () => Date;
  /** Names a token may be signed for. */
  advertisedHost: string | readonly string[];
}

const RESUME_ATTEMPTS = 20;

/** Starts a gate that speaks PostgreSQL's start-up protocol, checks RDS IAM tokens and forwards the rest; throws when it cannot listen. */
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

  /** The port listened on; stays the same over `pause()` and `resume()`. */
  get port(): number {
    return this.#port;
  }

  /** The first name a token may be signed for. */
  get host(): string {
    return [this.#controls.advertisedHost].flat()[0] ?? 'localhost';
  }

  /** Changes the controls named, and leaves the others. */
  set(controls: Partial<GateControls>): void {
    Object.assign(this.#controls, controls);
  }

  /** Shows new connections another certificate (PEM), of another name, age or authority for instance; throws when it and its key do not fit. */
  useCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
    this.#secureContext = createSecureContext({ cert, key });
  }

  /** What the gate has seen. */
  stats(): GateStats {
    return this.#counter.snapshot(this.#sockets.size);
  }

  /** Resets every open connection; new ones are served. */
  dropConnections(): void {
    for (const socket of this.#sockets) resetSocket(socket);
  }

  /** Stops listening: new connections are refused by the system; open ones stay. */
  pause(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Listens again on the same port; throws when it is taken. */
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
        // While paused, an outgoing connection may have borrowed the port for a moment.
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
      // What is wrong for the name it was signed for says more than that it was signed for another.
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
