const TEXTS = [
  'Connection terminated due to connection timeout',
  'Connection terminated unexpectedly',
  'Connection terminated',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  // The message of a socket that is reset during its TLS handshake.
  'Client network socket disconnected before secure TLS connection was established',
];

/** A name for the class of an error that a server or network fault may cause; undefined for any other error. */
export function errorClass(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, name, message } = error as Error & { code?: unknown };
  if (name === 'AbortError') return name;
  // Node's ERR_INVALID_* codes mark programming errors.
  if (typeof code === 'string' && !code.startsWith('ERR_INVALID')) return code;
  return TEXTS.find((text) => message.startsWith(text));
}
