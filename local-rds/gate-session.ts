import { connect, type Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoginVerifier, ServerFailure } from './login-verifier.js';
import {
  CLEARTEXT_PASSWORD_REQUEST,
  RequestCode,
  beginsTls,
  fatal,
  readFirstMessage,
  readPassword,
  startupParameters,
  type FirstMessage,
} from './wire.js';
import { resetSocket } from './reset-socket.js';

/** The addresses of the real server. */
export interface Backend {
  /** Unix socket that needs no password, for users whose token was verified here. */
  readonly socketPath: string;
  /** TCP address, for users whose password the server itself checks. */
  readonly host: string;
  readonly port: number;
}

/** The gate's settings and counters for a session. */
export interface SessionPolicy {
  readonly backend: Backend;
  secureContext(): SecureContext | undefined;
  readonly requireTls: boolean;
  /** How long to delay the answer to the startup message, in milliseconds. */
  delayMs(): number;
  /** An error to answer every startup message with. */
  startupFailure(): ServerFailure | undefined;
  /** The verifier of this user's password; `undefined` if PostgreSQL verifies it. */
  verifierOf(user: string): Promise<LoginVerifier | undefined>;
  /** Verifies and counts a password; returns the error for the client if the password is rejected. */
  judge(verifier: LoginVerifier, password: string, user: string): ServerFailure | undefined;
  countStartup(): void;
  countCancel(): void;
}

// PostgreSQL's authentication_timeout.
const STARTUP_TIMEOUT_MS = 60_000;
// How long a closed session still reads from its client, so that a reset does not discard the last message.
const DRAIN_MS = 2_000;

/** Serves one accepted connection until the client or the server ends it; never rejects. */
export async function serve(raw: Socket, policy: SessionPolicy): Promise<void> {
  raw.setNoDelay(true);
  const timer = setTimeout(() => raw.destroy(), STARTUP_TIMEOUT_MS).unref();
  const opened = await negotiate(raw, policy).catch(() => undefined);
  if (opened) {
    await startUp(opened.client, opened.message, raw, policy).catch(() => raw.destroy());
  } else {
    raw.destroy();
  }
  clearTimeout(timer);
}

interface Opened {
  readonly client: Socket;
  readonly message: FirstMessage;
}

/** The ALPN name of PostgreSQL's protocol. */
const PROTOCOL = 'postgresql';

/** Answers requests for encryption; resolves with the first message of another kind. */
async function negotiate(raw: Socket, policy: SessionPolicy): Promise<Opened | undefined> {
  const secureContext = policy.secureContext();
  let client = raw;
  if (await beginsTls(raw)) {
    if (!secureContext) return undefined;
    client = encrypt(raw, secureContext, true);
  }
  for (;;) {
    const message = await readFirstMessage(client);
    const asksForEncryption =
      message?.code === RequestCode.ssl || message?.code === RequestCode.gssEncryption;
    // Bytes sent before the answer may have been injected by a man in the middle.
    if (asksForEncryption && client.readableLength > 0) return undefined;
    if (message?.code === RequestCode.gssEncryption && client === raw) {
      raw.write('N');
    } else if (message?.code === RequestCode.ssl && client === raw) {
      raw.write(secureContext ? 'S' : 'N');
      if (secureContext) client = encrypt(raw, secureContext, false);
    } else {
      return message && { client, message };
    }
  }
}

/** With `direct`, the client began TLS without a request and must name the protocol, as PostgreSQL 17 requires. */
function encrypt(raw: Socket, secureContext: SecureContext, direct: boolean): TLSSocket {
  const client = new TLSSocket(raw, { isServer: true, secureContext, ALPNProtocols: [PROTOCOL] });
  if (direct) client.on('secure', () => client.alpnProtocol !== PROTOCOL && raw.destroy());
  client.on('error', () => raw.destroy());
  client.on('close', () => raw.destroy());
  raw.on('close', () => client.destroy());
  return client;
}

async function startUp(
  client: Socket,
  message: FirstMessage,
  raw: Socket,
  policy: SessionPolicy,
): Promise<void> {
  const { backend } = policy;
  if (message.code === RequestCode.cancel) {
    policy.countCancel();
    forward(client, raw, connect(backend.socketPath), message.bytes);
    return;
  }
  const parameters = startupParameters(message);
  const user = parameters?.get('user');
  if (!parameters || !user || message.code >> 16 !== 3) {
    refuse(client, { code: '08P01', message: 'invalid startup packet' });
    return;
  }
  policy.countStartup();
  await sleep(policy.delayMs());
  const failure = policy.startupFailure();
  if (failure) {
    refuse(client, failure);
    return;
  }
  if (policy.requireTls && client === raw) {
    const database = parameters.get('database') ?? user;
    const message = `no pg_hba.conf entry for host "${raw.remoteAddress ?? ''}", user "${user}", database "${database}", no encryption`;
    refuse(client, { code: '28000', message });
    return;
  }
  const verifier = await policy.verifierOf(user);
  if (!verifier) {
    forward(client, raw, connect(backend.port, backend.host), message.bytes);
    return;
  }
  client.write(CLEARTEXT_PASSWORD_REQUEST);
  const password = await readPassword(client);
  if (password === undefined) {
    raw.destroy();
    return;
  }
  const refusal = policy.judge(verifier, password, user);
  if (refusal) refuse(client, refusal);
  else forward(client, raw, connect(backend.socketPath), message.bytes);
}

function refuse(client: Socket, { code, message }: ServerFailure): void {
  client.write(fatal(code, message));
  finish(client);
}

/** Forwards data in both directions; when one side ends, the other is closed after its data has been delivered. */
function forward(client: Socket, raw: Socket, server: Socket, firstBytes: Buffer): void {
  const giveUp = (): void => {
    resetSocket(raw);
  };
  server.setNoDelay(true);
  server.write(firstBytes);
  client.pipe(server);
  server.pipe(client, { end: false });
  // If the server cannot be reached, reset the client, as a dead instance would. Later errors come with a close event.
  server.on('error', giveUp);
  server.on('connect', () => server.off('error', giveUp).on('error', () => undefined));
  server.on('close', () => finish(client));
  client.on('close', () => server.destroy());
}

/** Closes a connection once all written data has been sent. */
function finish(client: Socket): void {
  client.unpipe();
  client.end();
  if (client.readableEnded) {
    client.destroySoon();
    return;
  }
  client.on('end', () => client.destroySoon());
  client.resume();
  setTimeout(() => client.destroy(), DRAIN_MS).unref();
}
