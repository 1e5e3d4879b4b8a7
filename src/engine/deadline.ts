/** A time limit that has been started. */
export interface EngineDeadline {
  /** Ends the limit: `expired` will not be called. */
  clear(): void;
  /** Sets whether it keeps the process alive from now on. */
  keepAlive(keeps: boolean): void;
}

/** Options of a time limit; by default it has just begun and does not keep the process alive. */
export interface DeadlineOptions {
  /** Whether it keeps the process alive; default `false`. */
  readonly keepsAlive?: boolean | undefined;
  /** The whole limit in milliseconds, if `ms` is the rest of one that began earlier. */
  readonly limitMs?: number | undefined;
}

/**
 * Starts a time limit: `expired` is called after `ms`, unless the limit is cleared before. Its argument is the time, by
 * `performance.now()`, up to which all events that had arrived were handled.
 */
export type StartDeadline = (
  ms: number,
  expired: (upTo: number) => void,
  options?: DeadlineOptions,
) => EngineDeadline;
