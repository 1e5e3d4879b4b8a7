import { finished } from 'node:stream';
import { pg } from '../connection/driver.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import { failSubmitted, isStream, isSubmitted, type SubmittedQuery } from '../queries/submitted.js';

/** Whether this is a stream, a cursor or a COPY, which ends when its user has read or written it. */
export function isSubmittable(query: unknown): query is SubmittedQuery {
  return typeof query === 'object' && query !== null && isSubmitted(query) && !(query instanceof pg.Query);
}

/** A stream, cursor or COPY of `pool.query`, from the call until its connection is returned. */
export class PendingQuery {
  readonly #query: SubmittedQuery;
  /** Why it must not be sent: it was closed or destroyed while it waited for a connection. */
  #closed: Error | undefined;
  #stopWatching: () => void;

  constructor(query: SubmittedQuery) {
    this.#query = query;
    const close = (error: Error | null | undefined): void => {
      this.#closed ??= closedEarly(error);
    };
    this.#stopWatching = isStream(query) ? finished(query, close) : watchClose(query, close);
  }

  /** Sends it with the options of its call, and releases the connection when the server is ready for the next query. */
  send({ client }: PooledConnection, options: unknown): void {
    const release = client.release;
    client.once('drain', release);
    try {
      (client.query as unknown as (query: object, options: unknown) => void)(this.#query, options);
    } catch (error) {
      client.off('drain', release);
      release(true);
      process.nextTick(() => this.fail(error as Error));
    }
  }

  /** Call when its connection is available; returns an error if it was closed or destroyed while it waited. */
  withdrawn(): Error | undefined {
    this.#stopWatching();
    const query = this.#query;
    return this.#closed ?? (isStream(query) && query.destroyed ? closedEarly(query.errored) : undefined);
  }

  /** Fails the query, which will not run. */
  fail(error: Error): void {
    this.#stopWatching();
    failSubmitted(this.#query, error);
  }
}

function closedEarly(error: Error | null | undefined): Error {
  return error ?? new Error('The query was closed before it was sent');
}

/** Detects that a cursor is closed before it is sent, because a cursor does not report that. */
function watchClose(query: { close?: unknown }, closed: (error: undefined) => void): () => void {
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
