/** What a query's config may have besides what `pg` knows, whatever the pool's options. */
export interface QueryStopOptions {
  /**
   * Stops the query when it is aborted: the query leaves the queue, or is cancelled on the server, and rejects with the
   * signal's reason. Default none. Cursors, streams and COPY take it in a second argument.
   */
  readonly signal?: AbortSignal | null | undefined;
  /**
   * Limit of this query in milliseconds, which for `pool.query` includes the wait for a connection; default
   * `queryTimeoutMs`, 0 for no limit. Beyond it the query rejects with QueryTimeoutError and is cancelled on the server. Not
   * for cursors, streams and COPY.
   */
  readonly timeoutMs?: number | null | undefined;
}
