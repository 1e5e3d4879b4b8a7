/** Reads one property of a value that may be anything, including a proxy or an object whose getter throws. */
export function property(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** The SQLSTATE of an error that the server sent, else `undefined`. */
export function sqlState(error: unknown): string | undefined {
  const code = property(error, 'code');
  // EPIPE has five letters too; only the server's errors have a severity.
  const fromServer = typeof property(error, 'severity') === 'string';
  return fromServer && typeof code === 'string' && SQLSTATE.test(code) ? code : undefined;
}

/** Whether the server rejected a login: SQLSTATE class 28, invalid authorization. */
export function isRejectedLogin(error: unknown): boolean {
  return sqlState(error)?.startsWith('28') === true;
}
