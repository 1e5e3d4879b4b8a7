/** How fast time goes in a stack: what takes `factor` seconds outside takes one there. */
export interface TimeScale {
  readonly factor: number;
  /** Between two exports of metrics, two scrapes and two evaluations of the rules. */
  readonly intervalMs: number;
  /** After which the collector forgets a series. */
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

/** A duration as Go and Prometheus both read it. */
export function duration(ms: number): string {
  return `${Math.max(1, Math.round(ms))}ms`;
}
