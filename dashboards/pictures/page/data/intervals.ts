import { rangeUtil, type TimeRange } from '@grafana/data';

export interface Intervals {
  /** The query's step, which is also `$__interval`. */
  stepMs: number;
  rateIntervalMs: number;
}

/** The step for a panel of this width, and a window for rates that is long enough for two samples. */
export function intervalsFor(
  range: TimeRange,
  widthPx: number,
  scrapeInterval: string,
  panelInterval = scrapeInterval,
): Intervals {
  const scrapeMs = rangeUtil.intervalToMs(scrapeInterval);
  const stepMs = rangeUtil.calculateInterval(range, widthPx, panelInterval).intervalMs;
  return { stepMs, rateIntervalMs: Math.max(stepMs + scrapeMs, 4 * scrapeMs) };
}

/** The time variables that Grafana provides in every query. */
export function intervalVariables(
  range: TimeRange,
  { stepMs, rateIntervalMs }: Intervals,
): Record<string, string> {
  const rangeMs = range.to.valueOf() - range.from.valueOf();
  return {
    __interval: rangeUtil.secondsToHms(stepMs / 1000),
    __interval_ms: String(stepMs),
    __rate_interval: rangeUtil.secondsToHms(rateIntervalMs / 1000),
    __range: `${String(Math.round(rangeMs / 1000))}s`,
    __range_s: String(Math.round(rangeMs / 1000)),
    __range_ms: String(rangeMs),
  };
}
