import { isIP } from 'node:net';

/** Reads one property of any value, even of a proxy or an object whose getter throws. */
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

/**
 * Whether the server rejected a login: SQLSTATE class 28, invalid authorization; Aurora DSQL reports a connection
 * failure with a certain text.
 */
export function isRejectedLogin(error: unknown): boolean {
  const state = sqlState(error);
  if (state === '08006') return String(property(error, 'message')).includes('access denied');
  return state?.startsWith('28') === true;
}

const CODE = /^[A-Za-z][\w.-]{0,63}$/;
/** The limits for reading nested errors, in depth and in number, because both may be unbounded. */
const MOST_NESTED = 4;
const MOST_NAMED = 8;

/**
 * The text of an error: its message, else the texts of its nested errors and its cause, else its properties; `''`
 * when it has none of these. Node's error for a name with several addresses has no message of its own.
 */
export function errorText(error: unknown, depth = MOST_NESTED): string {
  const message = property(error, 'message');
  if (typeof message === 'string' && message.trim() !== '') return message;
  if (depth > 0) {
    const nested = [...partsOf(error), property(error, 'cause')].map((part) => errorText(part, depth - 1));
    const said = [...new Set(nested)].filter((text) => text !== '');
    if (said.length > 0) return said.join('; ');
  }
  const facts = [property(error, 'syscall'), property(error, 'code'), placeOf(error)];
  return facts.filter((fact) => typeof fact === 'string' && fact !== '').join(' ');
}

/** An address or a name at which a connection attempt failed. */
export interface FailedPlace {
  /** `address:port`, or the name that was looked up. */
  readonly place: string;
  /** The code of the failure. */
  readonly code: string;
}

/** Each address that a connection attempt tried, or the name that was not resolved; empty when the error names none. */
export function failedPlaces(error: unknown): FailedPlace[] {
  const parts = partsOf(error);
  return (parts.length > 0 ? parts : [error]).flatMap((part) => {
    const code = property(part, 'code');
    const place = placeOf(part);
    return typeof code === 'string' && CODE.test(code) && place !== '' ? [{ place, code }] : [];
  });
}

function partsOf(error: unknown): unknown[] {
  const errors = property(error, 'errors');
  return Array.isArray(errors) ? errors.slice(0, MOST_NAMED) : [];
}

function placeOf(error: unknown): string {
  const [address, port, hostname] = ['address', 'port', 'hostname'].map((key) => property(error, key));
  if (typeof address === 'string' && isIP(address) !== 0 && Number.isInteger(port)) {
    return `${isIP(address) === 6 ? `[${address}]` : address}:${port as number}`;
  }
  return typeof hostname === 'string' && /^[^\s\p{C}@/?#]{1,255}$/u.test(hostname) ? hostname : '';
}
