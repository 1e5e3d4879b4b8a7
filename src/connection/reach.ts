import { ConnectTimeoutError, WrongHostError } from '../errors.js';
import { property, sqlState } from '../foreign-error.js';
import type { Reached } from '../engine/kind.js';
import type { ConnectPhase } from '../observer.js';

/** The system's codes for a server that cannot be reached, but may answer a later attempt. */
const UNREACHABLE: readonly unknown[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
];

/** The server's codes for temporary states: starting up, shutting down, full; proxies also use class 08. */
const NOT_NOW = /^(?:57P03|57P01|53300|08...)$/;

/** The driver's text when the socket was closed during the login; it has no code. */
const CLOSED = 'Connection terminated unexpectedly';

/** The phases in which the user's code runs. */
const HOOKS: readonly ConnectPhase[] = ['hook', 'token', 'init'];

/**
 * Whether a connection attempt that failed at `phase` reached a server that accepts logins: `false` if a later
 * attempt may succeed without any change, `soon` if a server answered and another one is about to take over, `true`
 * if the server refused this login, `undefined` if the error is not about the server.
 */
export function reachedServer(error: unknown, phase: ConnectPhase): Reached {
  if (HOOKS.includes(phase)) return undefined;
  // The errors of several hosts, or of several addresses of a name.
  if (error instanceof AggregateError) {
    return error.errors.every((one) => reachedServer(one, phase) === false) ? false : undefined;
  }
  if (error instanceof WrongHostError) return 'soon';
  const state = sqlState(error);
  if (state !== undefined) return !NOT_NOW.test(state);
  const gone =
    error instanceof ConnectTimeoutError ||
    UNREACHABLE.includes(property(error, 'code')) ||
    property(error, 'message') === CLOSED;
  return gone ? false : undefined;
}
