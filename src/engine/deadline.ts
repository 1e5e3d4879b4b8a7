/** A time limit that has been started. */
export interface EngineDeadline {
  /** Ends it: what it would call will not be called. */
  clear(): void;
  /** Whether it keeps the process alive, from now on. */
  keepAlive(keeps: boolean): void;
}

/** How a time limit differs from one that has just begun and keeps no process alive. */
export interface DeadlineOptions {
  /** Whether it keeps the process alive; default `false`. */
  readonly keepsAlive?: boolean | undefined;
  /** The whole limit in milliseconds, of which this is the rest. */
  readonly limitMs?: number | undefined;
}

/**
 * Starts a time limit: `expired` is called after `ms`, unless it is cleared before, with the time by `performance.now()` up to
 * which everything that had arrived was looked at.
 */
export type StartDeadline = (
  ms: number,
  expired: (upTo: number) => void,
  options?: DeadlineOptions,
) => EngineDeadline;
