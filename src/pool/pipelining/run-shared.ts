import type { Lane } from '../../connection/lane.js';
import { OpenTransactionError, OutcomeUnknownError } from '../../errors.js';
import { throwLater } from '../../throw-later.js';
import type { QueryCallback } from '../run-query.js';
import type { Lanes } from './lanes.js';

type Send = (query: unknown, values: unknown, callback: QueryCallback) => void;

/** Sends an eligible query on a connection that others may share; `callback` is called once, and never before this returns. */
export function runShared(
  lanes: Lanes,
  lane: Lane,
  query: unknown,
  values: unknown,
  callback: QueryCallback,
): void {
  const { connection } = lane;
  const { client } = connection;
  let answered = false as boolean;
  let settled = false as boolean;
  let calling = true as boolean;
  const leave = (error: unknown): void => {
    if (answered) return;
    answered = true;
    if (!lanes.left(lane)) return;
    connection.erred = Boolean(error) && client.readyForQuery !== true;
    client.release();
  };
  const settle = (error: Error | undefined, result?: unknown): void => {
    if (settled) return;
    settled = true;
    try {
      if (error) callback(error);
      else callback(undefined, result);
    } catch (thrown) {
      throwLater(thrown);
    }
  };
  const answer: QueryCallback = (error, result) => {
    if (calling) {
      // A value that cannot be sent fails within the call; the Sync that was sent instead is answered in order.
      process.nextTick(settle, error, result);
      return;
    }
    const failure = failureOf(lane, error);
    leave(failure);
    settle(failure, result);
    lanes.fillSoon();
  };
  lanes.entered(lane);
  try {
    (client.query as unknown as Send)(extended(query, values), values, answer);
  } catch (error) {
    process.nextTick(answer, error);
  } finally {
    calling = false;
  }
}

/** The error for the caller of a query; `undefined` if it succeeded. */
function failureOf(lane: Lane, error: Error | undefined): Error | undefined {
  if (lane.lostWith === undefined) return error;
  // The answer that ended within a transaction belongs to this query.
  if (lane.leftOpen) {
    lane.leftOpen = false;
    return error ?? new OpenTransactionError();
  }
  // A query alone on its connection fails with its own error.
  return lane.lostAlone && error ? error : new OutcomeUnknownError(error ?? lane.lostWith);
}

/** The query in the form that the driver sends by the extended protocol. */
function extended(query: unknown, values: unknown): unknown {
  if (typeof query === 'string') return values == null ? { text: query, queryMode: 'extended' } : query;
  const { name, queryMode, values: own } = query as Readonly<Record<string, unknown>>;
  if (name || queryMode === 'extended' || values != null || own != null) return query;
  return Object.assign(Object.create(Object.getPrototypeOf(query) as object) as object, query, {
    queryMode: 'extended',
  });
}
