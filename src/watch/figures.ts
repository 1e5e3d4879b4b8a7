import { NO_BUCKETS, countOf, plus, quantile, since, type Buckets } from './quantiles.js';
import { matches, type PoolReading, type Reading, type Selection } from './reading.js';

/** The figures of the selected pools at one moment; null means unknown. Rates are per second. */
export interface Figures {
  /** Unix time in milliseconds. */
  readonly at: number;
  /** The number of pools. */
  readonly pools: number;
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  readonly limit: number;
  readonly pending: number;
  readonly longestWaitS: number;
  readonly tokenRefreshes: number;
  readonly tokenP50S: number | null;
  readonly tokenP95S: number | null;
  readonly tokenP99S: number | null;
  readonly acquireP99S: number | null;
  readonly queriesPerS: number | null;
  readonly errorsPerS: number | null;
  readonly openedPerS: number | null;
  readonly closedPerS: readonly (readonly [reason: string, perS: number])[];
}

/** The counters and histograms of some pools, added up. */
export type Totals = Pick<PoolReading, 'opened' | 'closed' | 'queries' | 'queryErrors' | 'waits' | 'tokens'>;

/** The totals of a reading, since each process began. */
export function totalsOf(reading: Reading, selection: Selection): Totals {
  return together(selected(reading, selection));
}

/**
 * The figures of a reading; latencies and rates are since `earlier`; without it, latencies are since the process began.
 */
export function figuresOf(now: Reading, earlier: Reading | undefined, selection: Selection): Figures {
  const pools = selected(now, selection);
  const before = new Map(earlier?.pools.map((pool) => [keyOf(pool), pool]));
  const change = together(pools.map((pool) => changeOf(pool, before.get(keyOf(pool)))));
  const { tokens, waits } = change;
  const sum = (value: (pool: PoolReading) => number): number =>
    pools.reduce((total, pool) => total + value(pool), 0);
  const seconds = earlier === undefined ? 0 : (now.at - earlier.at) / 1_000;
  const rate = (count: number): number | null => (seconds > 0 ? count / seconds : null);
  return {
    at: now.at,
    pools: pools.filter(({ pool }) => pool !== '').length,
    used: sum(({ used }) => used),
    idle: sum(({ idle }) => idle),
    connecting: sum(({ connecting }) => connecting),
    limit: sum(({ limit }) => limit),
    pending: sum(({ pending }) => pending),
    longestWaitS: Math.max(0, ...pools.map(({ longestWaitS }) => longestWaitS)),
    tokenRefreshes: countOf(tokens),
    tokenP50S: quantile(tokens, 0.5) ?? null,
    tokenP95S: quantile(tokens, 0.95) ?? null,
    tokenP99S: quantile(tokens, 0.99) ?? null,
    acquireP99S: quantile(waits, 0.99) ?? null,
    queriesPerS: rate(change.queries),
    errorsPerS: rate(change.queryErrors),
    openedPerS: rate(change.opened),
    closedPerS: [...change.closed].flatMap(([reason, count]) => {
      const perS = rate(count);
      return perS === null ? [] : [[reason, perS] as const];
    }),
  };
}

function together(pools: readonly PoolReading[]): Totals {
  const closed = new Map<string, number>();
  for (const pool of pools)
    for (const [reason, count] of pool.closed) closed.set(reason, (closed.get(reason) ?? 0) + count);
  const sum = (key: 'opened' | 'queries' | 'queryErrors'): number =>
    pools.reduce((all, pool) => all + pool[key], 0);
  return {
    ...{ opened: sum('opened'), closed, queries: sum('queries'), queryErrors: sum('queryErrors') },
    waits: pools.map(({ waits }) => waits).reduce(plus, NO_BUCKETS),
    tokens: pools.map(({ tokens }) => tokens).reduce(plus, NO_BUCKETS),
  };
}

/** The names that can be selected. */
export function choicesOf({ pools }: Reading): { readonly pools: string[]; readonly instances: string[] } {
  const names = (name: (pool: PoolReading) => string): string[] =>
    [...new Set(pools.map(name).filter((text) => text !== ''))].sort();
  return { pools: names(({ pool }) => pool), instances: names(({ instance }) => instance) };
}

function selected({ pools }: Reading, selection: Selection): PoolReading[] {
  const others = pools.filter((each) => each.pool !== '' && !matches(each, selection));
  return pools.filter((each) => {
    if (each.pool !== '') return matches(each, selection);
    // Queries without a pool name are attributed to a pool only if there is no other.
    return !others.some(({ instance }) => instance === each.instance);
  });
}

const keyOf = ({ pool, instance }: PoolReading): string => JSON.stringify([pool, instance]);

/** The increase since the earlier reading; after a restart, which begins at zero, the whole count. */
function changeOf(now: PoolReading, before: PoolReading | undefined): PoolReading {
  if (before === undefined) return now;
  const grown = (key: 'opened' | 'queries' | 'queryErrors'): number => growth(now[key], before[key]);
  const closed = [...now.closed].map(
    ([reason, count]) => [reason, growth(count, before.closed.get(reason) ?? 0)] as const,
  );
  return {
    ...now,
    opened: grown('opened'),
    queries: grown('queries'),
    queryErrors: grown('queryErrors'),
    closed: new Map(closed),
    waits: added(now.waits, before.waits),
    tokens: added(now.tokens, before.tokens),
  };
}

const growth = (now: number, before: number): number => (now < before ? now : now - before);

function added(now: Buckets, before: Buckets): Buckets {
  return countOf(now) < countOf(before) ? now : since(now, before);
}
