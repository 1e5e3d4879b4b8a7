import { isRejectedLogin, property } from '../../foreign-error.js';

const NO_PASSWORD = 'no password was found: set one in the config or add a matching line to PGPASSFILE';

/**
 * What to check first after a failed connection attempt, if known; never a text of the error. `rejectedHint` is the hint of
 * the token source that the attempt used; it applies if the server rejected the login.
 */
export function connectHint(error: unknown, rejectedHint: string | undefined): string | undefined {
  if (rejectedHint !== undefined && isRejectedLogin(error)) return rejectedHint;
  const message = property(error, 'message');
  return typeof message === 'string' && message.includes('PGPASSFILE') ? NO_PASSWORD : undefined;
}
