import type { PooledConnection } from '../connection/pooled-connection.js';
import { OpenTransactionError } from '../errors.js';
import { isSubmittable } from './submit-query.js';
import { throwLater } from '../throw-later.js';

export type QueryCallback = (error: Error | undefined, result?: unknown) => void;

/**
 * Runs one query on a checked-out connection and releases the connection; `callback` is called once, never before this
 * returns. It gets an `OpenTransactionError` for a query that succeeds but leaves a transaction open: then the
 * connection is destroyed.
 */
export function runQuery(
  connection: PooledConnection,
  text: unknown,
  values: unknown,
  callback: QueryCallback,
): void {
  const { client } = connection;
  const release = client.release;
  const own = ownCallback(text);
  let settled = false;
  let calling = true;
  const settle: QueryCallback = (error, result) => {
    if (settled) return;
    if (calling) {
      // A value that cannot be sent fails within the call.
      process.nextTick(settle, error, result);
      return;
    }
    settled = true;
    // A query succeeds at ReadyForQuery, which contains the state of the transaction.
    const failure = error || (leavesTransaction(connection) ? new OpenTransactionError() : undefined);
    // A query that was refused before it was sent is cleaned up right after this callback.
    connection.erred = Boolean(error) && client.readyForQuery !== true;
    release();
    try {
      const outcome = failure === undefined ? result : undefined;
      callback(failure, outcome);
      own?.callback(failure ?? error, outcome);
    } catch (thrown) {
      throwLater(thrown);
    }
  };
  // The driver would call only the query's own callback, and the client would never be released.
  if (own !== undefined) own.query.callback = settle;
  // A stream or cursor may never call it.
  if (isSubmittable(text)) client.once('drain', () => settle(undefined));
  try {
    (client.query as unknown as (...args: unknown[]) => void)(text, values, settle);
  } catch (error) {
    process.nextTick(settle, error);
  } finally {
    calling = false;
  }
}

function leavesTransaction({ client }: PooledConnection): boolean {
  return client.readyForQuery === true && client.getTransactionStatus() !== 'I';
}

interface SubmittableWithCallback {
  submit: unknown;
  callback: QueryCallback;
}

/** The callback of a ready-made query, such as a `pg.Query`. */
export function ownCallback(
  text: unknown,
): { query: SubmittableWithCallback; callback: QueryCallback } | undefined {
  const query = text as Partial<SubmittableWithCallback> | null | undefined;
  if (typeof query?.submit !== 'function' || typeof query.callback !== 'function') return undefined;
  return { query: query as SubmittableWithCallback, callback: query.callback };
}
