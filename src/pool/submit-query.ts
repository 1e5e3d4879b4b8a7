import { finished, Readable, Writable } from 'node:stream';
import type { Submittable } from 'pg';
import { pg } from '../connection/driver.js';
import type { PooledConnection } from '../connection/pooled-connection.js';

/** What the driver calls on a query that it cannot run. */
type Query = Submittable & { handleError?(error: Error): void; close?: unknown };

/** Whether this is a stream, a cursor or a COPY, which ends when its user has read or written it. */
export function isSubmittable(query: unknown): query is Query {
  return (
    typeof (query as Partial<Submittable> | null | undefined)?.submit === 'function' &&
    !(query instanceof pg.Query)
  );
}

/** A stream, cursor or COPY of `pool.query`, from the call until its connection is returned. */
export class PendingQuery {
  readonly #query: Query;
  /** Why it must not be sent: it was closed or destroyed while it waited for a connection. */
  #closed: Error | undefined;
  #stopWatching: () => void;

  constructor(query: Query) {
    this.#query = query;
    const close = (error: Error | null | undefined): void => {
      this.#closed ??= closedEarly(error);
    };
    this.#stopWatching = isStream(query) ? finished(query, close) : watchClose(query, close);
  }

  /** Sends it and releases the connection when the server is ready for the next query. */
  send({ client }: PooledConnection): void {
    const release = client.release;
    client.once('drain', release);
    try {
      client.query(this.#query);
    } catch (error) {
      client.off('drain', release);
      release(true);
      process.nextTick(() => this.fail(error as Error));
    }
  }

  /** Its connection has come: why it must not be sent, if it was closed or destroyed while it waited. */
  withdrawn(): Error | undefined {
    this.#stopWatching();
    const query = this.#query;
    return this.#closed ?? (isStream(query) && query.destroyed ? closedEarly(query.errored) : undefined);
  }

  /** Tells it that it will not run. */
  fail(error: Error): void {
    this.#stopWatching();
    const query = this.#query;
    if (!isStream(query)) {
      query.handleError?.(error);
      return;
    }
    query.destroy(error);
    // A COPY is closed only once it hears of the server's answer.
    setImmediate(() => setImmediate(() => query.closed || query.handleError?.(error)));
  }
}

function closedEarly(error: Error | null | undefined): Error {
  return error ?? new Error('The query was closed before it was sent');
}

function isStream(query: unknown): query is Readable | Writable {
  return query instanceof Readable || query instanceof Writable;
}

/** Notices that a cursor is closed before it is sent, which it does not tell. */
function watchClose(query: Query, closed: (error: undefined) => void): () => void {
  const { close } = query;
  if (typeof close !== 'function') return () => undefined;
  query.close = (...args: unknown[]): unknown => {
    closed(undefined);
    return close.apply(query, args) as unknown;
  };
  return () => {
    delete query.close;
  };
}
