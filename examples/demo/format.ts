/** A time in milliseconds with the digits that matter; `-` when there is none. */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 1 ? 2 : ms < 10 ? 1 : 0)} ms`;
}

/** A time in seconds, as metrics have it. */
export function formatSeconds(seconds: number | undefined): string {
  return formatMs(seconds === undefined ? undefined : seconds * 1_000);
}

/** Milliseconds with one digit for a line that programs read; `-` when there is none. */
export function plainMs(seconds: number | undefined): string {
  return seconds === undefined ? '-' : (seconds * 1_000).toFixed(1);
}

/** A count with its thousands apart. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** All counts of a map, summed. */
export function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Counts by name, the most frequent first: `57P01 x6, ECONNREFUSED x2`. */
export function formatCounts(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} x${count}`)
    .join(', ');
}
