import type { CloseReason } from '../observer.js';

/** The fields of an ErrorResponse that are used. */
export interface ServerError {
  readonly code?: string;
  readonly severity?: string;
  readonly routine?: string;
  readonly message?: string;
}

/**
 * Errors after which the server still answers, but the session must not go to another user: the connection is closed
 * when it is returned. All others concern the statement alone, and the connection is kept. Some examples that look
 * otherwise:
 *
 * - 0A000 (feature not supported): see `isOutdatedPlan` for the one case that belongs to the session.
 * - 25P02 (in failed transaction): the transaction state decides; after ROLLBACK the session is usable.
 * - 22021 (invalid byte sequence), 3D000 (unknown database, here a template), 42501 (permission denied): the statement's.
 * - Class 08 except 08P01: the session is usable; the failure is in a server it called (dblink, foreign data wrappers).
 * - Class 28: a login failed, so there is no session.
 * - 53200 (out of memory): the memory that the statement took is free again.
 * - 57014 (query cancelled), 40001, 40P01, 55P03: the next attempt may succeed.
 * - XX000 (internal error): extensions use it for invalid input.
 */
const UNFIT: Readonly<Record<string, CloseReason>> = {
  // Protocol violation: client and server disagree about what has been prepared or sent.
  '08P01': 'released_with_error',
  // Read-only transaction: the address leads to an old writer after a failover.
  '25006': 'read_only',
  // No such prepared statement: DISCARD ALL, DEALLOCATE ALL or a pooler removed it, perhaps with settings from connect.
  '26000': 'released_with_error',
  // Prepared statement exists: the server has one of that name that the driver did not prepare.
  '42P05': 'released_with_error',
};

/**
 * Codes besides class 57P that end a session: idle in transaction (25P03) or in one transaction (25P04) for too long.
 */
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

/** Whether a prepared statement no longer fits the tables it reads, and fails until it is prepared anew. */
export function isOutdatedPlan({ code, routine, message }: ServerError): boolean {
  if (code !== '0A000') return false;
  // Servers other than PostgreSQL have their own routines, but the text in English.
  return routine === 'RevalidateCachedQuery' || message === 'cached plan must not change result type';
}

/** Whether the server's prepared statements differ from those that the driver assumes. */
export function hasOtherStatements(error: ServerError): boolean {
  return error.code === '26000' || isOutdatedPlan(error);
}
