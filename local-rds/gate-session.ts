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

/** Where the real server listens. */
export interface Backend {
  /** Unix socket that trusts, for users whose token was verified here. */
  readonly socketPath: string;
  /** TCP port, for users whose password the server itself checks. */
  readonly host: string;
  readonly port: number;
}

/** What a session asks of the gate it belongs to. */
export interface SessionPolicy {
  readonly backend: Backend;
  secureContext(): SecureContext | undefined;
  readonly requireTls: boolean;
  /** Milliseconds before the answer to the startup message. */
  delayMs(): number;
  /** An error to answer every startup message with. */
  startupFailure(): ServerFailure | undefined;
  /** What verifies this user's password; undefined: PostgreSQL itself. */
  verifierOf(user: string): Promise<LoginVerifier | undefined>;
  /** Judges and counts a password; returns the error to answer with when it is refused. */
  judge(verifier: LoginVerifier, password: string, user: string): ServerFailure | undefined;
  countStartup(): void;
  countCancel(): void;
}

// PostgreSQL's authentication_timeout.
const STARTUP_TIMEOUT_MS = 60_000;
// How long a closed session still drains its client, so that a reset does not overtake the last message.
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

/** The name of PostgreSQL's protocol within TLS. */
const PROTOCOL = 'postgresql';

/** Answers the requests for encryption; resolves with the first message that is none. */
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
    // Bytes sent ahead of the answer come from somebody in the middle.
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

/** `direct`: the client did not ask first, and has to name the protocol, as PostgreSQL 17 demands. */
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

/** Joins client and server in both directions; the end of either ends the other after what it has said. */
function forward(client: Socket, raw: Socket, server: Socket, firstBytes: Buffer): void {
  const giveUp = (): void => {
    resetSocket(raw);
  };
  server.setNoDelay(true);
  server.write(firstBytes);
  client.pipe(server);
  server.pipe(client, { end: false });
  // No server to talk to: what a client of a dead instance sees. Later errors come with a close, handled below.
  server.on('error', giveUp);
  server.on('connect', () => server.off('error', giveUp).on('error', () => undefined));
  server.on('close', () => finish(client));
  client.on('close', () => server.destroy());
}

/** Closes after what is written has been sent. */
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
