const TEXTS = [
  'Connection terminated due to connection timeout',
  'Connection terminated unexpectedly',
  'Connection terminated',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  // What a socket says that is reset in its handshake.
  'Client network socket disconnected before secure TLS connection was established',
];

/** A name for the class of an error that a fault of the server or the network may cause, undefined for any other. */
export function errorClass(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, name, message } = error as Error & { code?: unknown };
  if (name === 'AbortError') return name;
  // A programming error of anybody's has a code of Node's.
  if (typeof code === 'string' && !code.startsWith('ERR_INVALID')) return code;
  return TEXTS.find((text) => message.startsWith(text));
}
