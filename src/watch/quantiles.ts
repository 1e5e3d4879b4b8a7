/** The buckets of a histogram: `counts` has one more member than `boundaries`, for values above the last. */
export interface Buckets {
  /** Upper bounds in seconds, ascending. */
  readonly boundaries: readonly number[];
  readonly counts: readonly number[];
}

/** An empty histogram. */
export const NO_BUCKETS: Buckets = { boundaries: [], counts: [] };

/** The number of recorded values. */
export function countOf({ counts }: Buckets): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The sum of both; their boundaries are the same unless one is empty. */
export function plus(a: Buckets, b: Buckets): Buckets {
  if (a.counts.length === 0) return b;
  return { boundaries: a.boundaries, counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)) };
}

/** The values recorded since `earlier`, a previous reading of the same cumulative histogram. */
export function since(now: Buckets, earlier: Buckets): Buckets {
  return {
    boundaries: now.boundaries,
    counts: now.counts.map((count, i) => count - (earlier.counts[i] ?? 0)),
  };
}

/** The quantile `q` (0 to 1) in seconds, interpolated like Prometheus' histogram_quantile; undefined without values. */
export function quantile(buckets: Buckets, q: number): number | undefined {
  const total = countOf(buckets);
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (const [i, count] of buckets.counts.entries()) {
    const upper = buckets.boundaries[i];
    // Above the last boundary, nothing more is known about the values.
    if (upper === undefined) break;
    if (count > 0 && below + count >= rank) {
      const lower = buckets.boundaries[i - 1] ?? 0;
      return lower + ((upper - lower) * (rank - below)) / count;
    }
    below += count;
  }
  return buckets.boundaries.at(-1);
}
