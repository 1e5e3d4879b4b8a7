/** A time limit that has been started. */
export interface EngineDeadline {
  /** Ends it: what it would call will not be called. */
  clear(): void;
}

/** Starts a time limit: `expired` is called after `ms`, unless it is cleared before. Only with `keepsAlive` does it keep the process alive. */
export type StartDeadline = (ms: number, expired: () => void, keepsAlive: boolean) => EngineDeadline;
