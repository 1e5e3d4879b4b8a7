import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ConfigError, PgaugeError } from '../errors.js';

/** Without a question to the server, TLS itself must tell that it speaks PostgreSQL's protocol, as libpq asks for: an error if not. */
export function unconfirmed(stream: Socket): ConfigError | undefined {
  if ((stream as Partial<TLSSocket>).alpnProtocol === 'postgresql') return undefined;
  return new ConfigError("the server does not confirm ssl.negotiation 'direct': it needs PostgreSQL 17");
}

/** The codes of a connection that a server before PostgreSQL 17 closes when TLS begins at once, for it reads a length that cannot be. */
const CLOSED = [undefined, 'ECONNRESET', 'EPIPE', 'ECONNABORTED', 'EPROTO'];

/** Adds what such a failure may be due to: TLS began without asking the server. */
export function tellOfDirectTls(error: unknown): void {
  if (!(error instanceof Error) || error instanceof PgaugeError) return;
  if (!CLOSED.includes((error as NodeJS.ErrnoException).code)) return;
  try {
    error.message += " (ssl.negotiation 'direct' needs PostgreSQL 17 or later)";
  } catch {
    // A frozen error keeps its text.
  }
}
