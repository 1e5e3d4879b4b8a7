import type { PooledConnection } from '../connection/pooled-connection.js';
import { throwLater } from './throw-later.js';

export type QueryCallback = (error: Error | undefined, result?: unknown) => void;

/** Runs one query on a checked-out connection and returns it; `callback` is called once, and never before this returns. */
export function runQuery(
  connection: PooledConnection,
  text: unknown,
  values: unknown,
  callback: QueryCallback,
): void {
  const { client } = connection;
  const release = client.release;
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
    // What was refused before it was sent is tidied up right after this callback.
    connection.erred = Boolean(error) && client.readyForQuery !== true;
    release();
    try {
      callback(error, result);
    } catch (thrown) {
      throwLater(thrown);
    }
  };
  const own = ownCallback(text);
  if (own !== undefined) {
    // The driver would call that one alone, and the client would never come back.
    own.query.callback = (error, result): void => {
      settle(error, result);
      own.callback(error, result);
    };
  }
  try {
    (client.query as unknown as (...args: unknown[]) => void)(text, values, settle);
  } catch (error) {
    process.nextTick(settle, error);
  } finally {
    calling = false;
  }
}

interface SubmittableWithCallback {
  submit: unknown;
  callback: QueryCallback;
}

/** The callback that a ready-made query brings, such as a `pg.Query`. */
function ownCallback(text: unknown): { query: SubmittableWithCallback; callback: QueryCallback } | undefined {
  const query = text as Partial<SubmittableWithCallback> | null | undefined;
  if (typeof query?.submit !== 'function' || typeof query.callback !== 'function') return undefined;
  return { query: query as SubmittableWithCallback, callback: query.callback };
}
