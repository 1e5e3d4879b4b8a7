/** The sum of all counts in a map. */
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
