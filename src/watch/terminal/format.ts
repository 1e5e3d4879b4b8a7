/** A time in milliseconds with its significant digits; `-` when there is none. */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 1 ? 2 : ms < 10 ? 1 : 0)} ms`;
}

/** A time in seconds, the unit of metrics. */
export function formatSeconds(seconds: number | null | undefined): string {
  return formatMs(seconds === null || seconds === undefined ? undefined : seconds * 1_000);
}

/** Milliseconds with one digit for a line that programs read; `-` when there is none. */
export function plainMs(seconds: number | null | undefined): string {
  return seconds === null || seconds === undefined ? '-' : (seconds * 1_000).toFixed(1);
}

/** A count with separated thousands. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** Events per second; `-` when they are not known. */
export function formatRate(perS: number | null): string {
  if (perS === null) return '-';
  return `${Number.isInteger(perS) || perS >= 100 ? formatCount(Math.round(perS)) : perS.toFixed(perS < 10 ? 2 : 1)}/s`;
}

/** Pairs of `key=value`, for a line that programs read. */
export function pairsLine(pairs: Readonly<Record<string, string | number>>): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
