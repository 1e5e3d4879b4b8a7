import { NO_BUCKETS, countOf, plus, quantile, since, type Buckets } from './quantiles.js';
import type { PoolReading, Reading } from './reading.js';

/** Which pools are looked at; all where nothing is named. */
export interface Selection {
  readonly pool?: string | undefined;
  readonly instance?: string | undefined;
}

/** What is shown of the selected pools at one moment; null is unknown. Rates are per second. */
export interface Figures {
  /** Unix time in milliseconds. */
  readonly at: number;
  /** How many pools they are of. */
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

/** The figures of a reading; latencies and rates are those since `earlier`, or without it the latencies since the process began. */
export function figuresOf(now: Reading, earlier: Reading | undefined, selection: Selection): Figures {
  const pools = selected(now, selection);
  const before = new Map(earlier?.pools.map((pool) => [keyOf(pool), pool]));
  const changes = pools.map((pool) => changeOf(pool, before.get(keyOf(pool))));
  const sum = (value: (pool: PoolReading) => number): number =>
    pools.reduce((total, pool) => total + value(pool), 0);
  const tokens = changes.map((change) => change.tokens).reduce(plus, NO_BUCKETS);
  const waits = changes.map((change) => change.waits).reduce(plus, NO_BUCKETS);
  const seconds = earlier === undefined ? 0 : (now.at - earlier.at) / 1_000;
  const rate = (count: number): number | null => (seconds > 0 ? count / seconds : null);
  const total = (value: (change: PoolReading) => number): number | null =>
    rate(changes.reduce((all, change) => all + value(change), 0));
  const closed = new Map<string, number>();
  for (const change of changes)
    for (const [reason, count] of change.closed) closed.set(reason, (closed.get(reason) ?? 0) + count);
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
    queriesPerS: total(({ queries }) => queries),
    errorsPerS: total(({ queryErrors }) => queryErrors),
    openedPerS: total(({ opened }) => opened),
    closedPerS: [...closed].flatMap(([reason, count]) => {
      const perS = rate(count);
      return perS === null ? [] : [[reason, perS] as const];
    }),
  };
}

/** The names to choose from. */
export function choicesOf({ pools }: Reading): { readonly pools: string[]; readonly instances: string[] } {
  const names = (name: (pool: PoolReading) => string): string[] =>
    [...new Set(pools.map(name).filter((text) => text !== ''))].sort();
  return { pools: names(({ pool }) => pool), instances: names(({ instance }) => instance) };
}

function selected({ pools }: Reading, { pool, instance }: Selection): PoolReading[] {
  const here = pools.filter((each) => instance === undefined || each.instance === instance);
  const named = here.filter((each) => each.pool !== '' && (pool === undefined || each.pool === pool));
  // Queries without the name of a pool are its own only where there is no other.
  const unclaimed = here.filter(
    (each) =>
      each.pool === '' &&
      here.filter((other) => other.pool !== '' && other.instance === each.instance).length ===
        named.filter((other) => other.instance === each.instance).length,
  );
  return [...named, ...unclaimed];
}

const keyOf = ({ pool, instance }: PoolReading): string => JSON.stringify([pool, instance]);

/** What was counted since; all of it after a restart, which begins at zero. */
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
