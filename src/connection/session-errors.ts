import type { CloseReason } from '../observer.js';

/** What is read of an ErrorResponse. */
export interface ServerError {
  readonly code?: string;
  readonly severity?: string;
  readonly routine?: string;
  readonly message?: string;
}

/**
 * Errors after which the server still answers, but the session is not for another user: the connection is closed when it is
 * returned. All others are the statement's own, and the connection is kept. Some that look otherwise:
 *
 * - 0A000 (feature not supported): see `isOutdatedPlan` for the one case that belongs to the session.
 * - 25P02 (in failed transaction): the transaction state decides; after ROLLBACK the session is good.
 * - 22021 (invalid byte sequence), 3D000 (unknown database, here a template), 42501 (permission denied): the statement's.
 * - Class 08 except 08P01: the session is well, and a server that it asked (dblink, foreign data wrappers) is not.
 * - Class 28: a login's, and there is no session then.
 * - 53200 (out of memory): what the statement took is free again.
 * - 57014 (query cancelled), 40001, 40P01, 55P03: the next attempt may succeed.
 * - XX000 (internal error): extensions use it for invalid input.
 */
const UNFIT: Readonly<Record<string, CloseReason>> = {
  // Protocol violation: the two sides do not agree on what has been prepared or sent.
  '08P01': 'released_with_error',
  // Read-only transaction: the address leads to an old writer after a failover.
  '25006': 'read_only',
  // No such prepared statement: DISCARD ALL, DEALLOCATE ALL or a pooler removed it, and perhaps what was set at connect.
  '26000': 'released_with_error',
  // Prepared statement exists: the server has one of that name which the driver knows nothing of.
  '42P05': 'released_with_error',
};

/** Codes with which the server ends a session, beside class 57P: idle in transaction (25P03) or in one transaction (25P04) for too long. */
const TIMEOUTS: readonly (string | undefined)[] = ['25P03', '25P04'];

/** Why the connection is closed when it is returned after this error, `undefined` if it is kept. */
export function unfitAfter({ code }: ServerError): CloseReason | undefined {
  return code !== undefined && Object.hasOwn(UNFIT, code) ? UNFIT[code] : undefined;
}

/** Whether the server ends the session with this error. */
export function isDismissal({ code, severity }: ServerError): boolean {
  // The severity is in the server's language; class 57P is an operator's intervention in any.
  return (
    /^(FATAL|PANIC)$/.test(severity ?? '') || code?.startsWith('57P') === true || TIMEOUTS.includes(code)
  );
}

/** Whether a prepared statement no longer fits the tables it reads: it fails until it is prepared anew. */
export function isOutdatedPlan({ code, routine, message }: ServerError): boolean {
  if (code !== '0A000') return false;
  // Servers that are no PostgreSQL have the text in English and routines of their own.
  return routine === 'RevalidateCachedQuery' || message === 'cached plan must not change result type';
}

/** Whether the server has other prepared statements than the driver believes. */
export function hasOtherStatements(error: ServerError): boolean {
  return error.code === '26000' || isOutdatedPlan(error);
}
