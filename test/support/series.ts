import type { meterSdk } from './telemetry.js';

type Points = ReturnType<typeof meterSdk>['points'];

const POOL = 'db.client.connection.pool.name';

interface HistogramValue {
  readonly count: number;
  readonly sum?: number;
}

/**
 * The current values of one metric of one pool, by its other attributes; for a histogram, the number of its records.
 */
export async function series(points: Points, name: string, pool: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { attributes, value } of await points(name)) {
    const { [POOL]: owner, ...others } = attributes;
    if (owner !== pool) continue;
    const key = Object.values(others).join(' ');
    if (key in found) throw new Error(`${name} has two series of ${key || 'the pool'}`);
    found[key] = typeof value === 'number' ? value : (value as HistogramValue).count;
  }
  return found;
}

/** The sum in seconds of a histogram's records with exactly these other attributes. */
export async function sumOf(points: Points, name: string, pool: string, others = ''): Promise<number> {
  for (const { attributes, value } of await points(name)) {
    const { [POOL]: owner, ...rest } = attributes;
    if (owner === pool && Object.values(rest).join(' ') === others)
      return (value as HistogramValue).sum ?? NaN;
  }
  return NaN;
}
