import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ConfigError, PgaugeError } from '../errors.js';

/** With direct TLS, ALPN must confirm PostgreSQL's protocol, as libpq requires; returns an error if it does not. */
export function unconfirmed(stream: Socket): ConfigError | undefined {
  if ((stream as Partial<TLSSocket>).alpnProtocol === 'postgresql') return undefined;
  return new ConfigError("the server does not confirm ssl.negotiation 'direct': it needs PostgreSQL 17");
}

/** The error codes when a server before PostgreSQL 17 closes a connection whose TLS it reads as an invalid length. */
const CLOSED = [undefined, 'ECONNRESET', 'EPIPE', 'ECONNABORTED', 'EPROTO'];

/** Adds the likely cause to such a failure: TLS began without a request to the server. */
export function tellOfDirectTls(error: unknown): void {
  if (!(error instanceof Error) || error instanceof PgaugeError) return;
  if (!CLOSED.includes((error as NodeJS.ErrnoException).code)) return;
  try {
    error.message += " (ssl.negotiation 'direct' needs PostgreSQL 17 or later)";
  } catch {
    // A frozen error keeps its text.
  }
}
