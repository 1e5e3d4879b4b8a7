/** A snapshot of a pool's statistics, defined as pgxpool defines them. */
export interface PoolStat {
  /** Current: connections constructing, acquired and idle. */
  readonly totalConns: number;
  /** Current: connections checked out, being pinged before that, or being judged before they become idle. */
  readonly acquiredConns: number;
  /** Current: connections ready to be handed out. */
  readonly idleConns: number;
  /** Current: connection attempts in progress. */
  readonly constructingConns: number;
  /** Current: the maximum number of connections, which only `resize` changes. */
  readonly maxConns: number;
  /** Cumulative: acquires that got a connection, counted before `onAcquire` runs, as pgxpool counts before its hook. */
  readonly acquireCount: number;
  /** Cumulative: milliseconds from start to hand-over of these, including dials but not `onAcquire`. */
  readonly acquireDurationMs: number;
  /** Cumulative: acquires that timed out or were aborted, also during `onAcquire`. */
  readonly canceledAcquireCount: number;
  /** Cumulative: successful acquires that waited for a slot or for a new connection. */
  readonly emptyAcquireCount: number;
  /** Cumulative: milliseconds those acquires took. */
  readonly emptyAcquireWaitTimeMs: number;
  /** Cumulative: connection attempts, failed ones included. */
  readonly newConnsCount: number;
  /** Cumulative: connections destroyed because they exceeded their lifetime. */
  readonly maxLifetimeDestroyCount: number;
  /** Cumulative: connections destroyed because they were idle for too long. */
  readonly maxIdleDestroyCount: number;
}
