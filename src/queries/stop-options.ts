/** Members of a query's config in addition to those of `pg`, whatever the pool's options. */
export interface QueryStopOptions {
  /**
   * Stops the query when it is aborted: the query leaves the queue, or is cancelled on the server, and rejects with the
   * signal's reason. Default none. For cursors, streams and COPY, pass it in a second argument.
   */
  readonly signal?: AbortSignal | null | undefined;
  /**
   * Limit of this query in milliseconds, which for `pool.query` includes the wait for a connection; default
   * `queryTimeoutMs`, 0 for no limit. After that the query rejects with QueryTimeoutError and is cancelled on the
   * server. Not for cursors, streams and COPY.
   */
  readonly timeoutMs?: number | null | undefined;
}
