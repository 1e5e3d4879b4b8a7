/** How fast time passes in a stack: `factor` seconds outside are one second in the stack. */
export interface TimeScale {
  readonly factor: number;
  /** The interval of metric exports, scrapes and rule evaluations. */
  readonly intervalMs: number;
  /** The time after which the collector drops a series. */
  readonly expirationMs: number;
  /** Prometheus' `--query.lookback-delta`. */
  readonly lookbackMs: number;
}

const INTERVAL_MS = 15_000;
const EXPIRATION_MS = 120_000;
const LOOKBACK_MS = 300_000;

/** The durations of the stack that `docker compose up` starts, each divided by `factor`. */
export function timeScale(factor: number): TimeScale {
  return {
    factor,
    intervalMs: INTERVAL_MS / factor,
    expirationMs: EXPIRATION_MS / factor,
    lookbackMs: LOOKBACK_MS / factor,
  };
}

/** A duration in the format that both Go and Prometheus read. */
export function duration(ms: number): string {
  return `${Math.max(1, Math.round(ms))}ms`;
}
