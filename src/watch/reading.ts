import { ATTR, DB_SYSTEM_NAME } from '../telemetry/names.js';
import { samplesOf, type Sample } from './exposition.js';
import { NO_BUCKETS, type Buckets } from './quantiles.js';
import { labelOf, seriesOf, type Metric } from './series.js';
import { WatchError } from './watch-error.js';

/** The state of a pool at one moment, from its series; counters and histograms are cumulative. */
export interface PoolReading {
  /** `''` for queries without a pool: those that instrumentation-pg reports. */
  readonly pool: string;
  /** `''` without a label: the endpoint of a single process. */
  readonly instance: string;
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  readonly limit: number;
  /** Waiting acquirers. */
  readonly pending: number;
  readonly longestWaitS: number;
  readonly opened: number;
  /** By reason. */
  readonly closed: ReadonlyMap<string, number>;
  readonly queries: number;
  readonly queryErrors: number;
  readonly waits: Buckets;
  readonly tokens: Buckets;
}

/** All pools of an endpoint at one moment. */
export interface Reading {
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly pools: readonly PoolReading[];
  /** The number of pools left out because there are too many. */
  readonly leftOut: number;
}

/** The pools of a reading, without the queries that belong to no pool. */
export function openPools({ pools }: Reading): PoolReading[] {
  return pools.filter(({ pool }) => pool !== '');
}

/** The selected pools; all if nothing is named. */
export interface Selection {
  readonly pool?: string | undefined;
  readonly instance?: string | undefined;
}

/** Whether a pool is selected. */
export function matches(
  { pool, instance }: { readonly pool: string; readonly instance: string },
  selection: Selection,
): boolean {
  return (selection.pool ?? pool) === pool && (selection.instance ?? instance) === instance;
}

/** The maximum number of watched pools, of all instances together. */
export const MOST_POOLS = 64;
// An answer may contain more names than there is memory for.
const MOST_NAMES = 10_000;
const MOST_REASONS = 16;
const MOST_BOUNDARIES = 64;
const LONGEST_NAME = 200;
const MOST_NAMED = 8;

const POOL = labelOf(ATTR.poolName);
const STATE = labelOf(ATTR.connectionState);
const REASON = labelOf(ATTR.closeReason);
const ERROR = labelOf(ATTR.errorType);
const SYSTEMS = [labelOf(ATTR.dbSystemName), 'db_system'];
// The first is the application's own; the collector and a federating Prometheus turn it into the others.
const INSTANCES = ['service_instance_id', 'exported_instance', 'instance'];

/**
 * Reads the selected pools of an exposition. Throws `WatchError` when it is in another format, or unless `mayBeEmpty`
 * when it contains no series of pgauge or of the selected pools.
 */
export function readingOf(
  text: string,
  at: number,
  { mayBeEmpty = false, selection = {} }: { mayBeEmpty?: boolean; selection?: Selection } = {},
): Reading {
  const tallies = talliesOf(text);
  if (!tallies.some(({ ours }) => ours) && !mayBeEmpty) throw new WatchError('it has no series of pgauge');
  const open = tallies.filter(({ isPool }) => isPool);
  const wanted = open.filter((each) => matches(each, selection));
  if (open.length > 0 && wanted.length === 0 && !mayBeEmpty)
    throw new WatchError(`no pool in it is the selected one; it has ${named(open)}`);
  const shown = wanted.slice(0, MOST_POOLS);
  // Queries without a pool name, if all pools to which they may belong are shown.
  const unclaimed = tallies.filter(({ pool, instance }) => {
    const those = open.filter((each) => each.instance === instance);
    return pool === '' && those.length > 0 && those.every((each) => shown.includes(each));
  });
  return {
    at,
    pools: [...shown, ...unclaimed].map((tally) => tally.reading()),
    leftOut: wanted.length - shown.length,
  };
}

function talliesOf(text: string): Tally[] {
  const tallies = new Map<string, Tally>();
  for (const sample of samplesOf(text, (name) => seriesOf(name) !== undefined)) {
    const { labels } = sample;
    const pool = kept(labels.get(POOL));
    const instance = kept(INSTANCES.map((name) => labels.get(name)).find(Boolean));
    const key = JSON.stringify([pool, instance]);
    let tally = tallies.get(key);
    if (tally === undefined) {
      if (tallies.size === MOST_NAMES) throw new WatchError(`it has more than ${MOST_NAMES} pools`);
      tallies.set(key, (tally = new Tally(pool, instance)));
    }
    tally.add(sample);
  }
  return [...tallies.values()];
}

/** The first pools, as suggestions. */
function named(pools: readonly { readonly pool: string; readonly instance: string }[]): string {
  const names = pools
    .slice(0, MOST_NAMED)
    .map(
      ({ pool, instance }) =>
        JSON.stringify(pool) + (instance === '' ? '' : ` of ${JSON.stringify(instance)}`),
    );
  return [...names, ...(pools.length > MOST_NAMED ? [`${pools.length - MOST_NAMED} more`] : [])].join(', ');
}

/** Adds up the series of a pool. */
class Tally {
  /** Other libraries report connections under the same names. */
  isPool = false;
  /** Whether one of its series is specific to pgauge. */
  ours = false;
  readonly #values = new Map<Metric, number>();
  readonly #states = new Map<string, number>();
  readonly #closed = new Map<string, number>();
  readonly #buckets = new Map<Metric, Map<number, number>>();
  #queryErrors = 0;

  constructor(
    readonly pool: string,
    readonly instance: string,
  ) {}

  add({ name, labels, value }: Sample): void {
    const series = seriesOf(name);
    if (series === undefined || !Number.isFinite(value)) return;
    const { metric, part } = series;
    this.ours ||= name.startsWith('pgauge_');
    if (metric === 'operationDuration' && !ofPostgres(labels)) return;
    if (metric === 'poolInfo') this.isPool ||= value > 0;
    if (part === 'bucket') {
      this.#addBucket(metric, Number(labels.get('le')?.replace('+Inf', 'Infinity')), value);
      return;
    }
    if (part === 'sum') return;
    increase(this.#values, metric, value);
    if (metric === 'connectionCount') increase(this.#states, labels.get(STATE) ?? '', value);
    if (metric === 'connectionClosed') increase(this.#closed, kept(labels.get(REASON)), value, MOST_REASONS);
    if (metric === 'operationDuration' && labels.get(ERROR)) this.#queryErrors += value;
  }

  reading(): PoolReading {
    const value = (metric: Metric): number => this.#values.get(metric) ?? 0;
    const inState = (state: string): number => this.#states.get(state) ?? 0;
    return {
      pool: this.pool,
      instance: this.instance,
      used: inState('used'),
      idle: inState('idle'),
      connecting: inState('connecting'),
      limit: value('connectionLimit'),
      pending: value('pendingRequests'),
      longestWaitS: value('longestWait'),
      opened: value('connectionOpened'),
      closed: this.#closed,
      queries: value('operationDuration'),
      queryErrors: this.#queryErrors,
      waits: bucketsOf(this.#buckets.get('waitTime')),
      tokens: bucketsOf(this.#buckets.get('tokenRefreshDuration')),
    };
  }

  #addBucket(metric: Metric, bound: number, value: number): void {
    if (metric !== 'waitTime' && metric !== 'tokenRefreshDuration') return;
    let bounds = this.#buckets.get(metric);
    if (bounds === undefined) this.#buckets.set(metric, (bounds = new Map<number, number>()));
    if (!Number.isNaN(bound)) increase(bounds, bound, value, MOST_BOUNDARIES);
  }
}

/** A copy, because a substring would keep the whole exposition in memory. */
function kept(name = ''): string {
  return Buffer.from(name.slice(0, LONGEST_NAME)).toString();
}

function ofPostgres(labels: ReadonlyMap<string, string>): boolean {
  const system = SYSTEMS.map((name) => labels.get(name)).find(Boolean);
  return system === undefined || system === DB_SYSTEM_NAME;
}

function increase<K>(counts: Map<K, number>, key: K, by: number, most = Infinity): void {
  const before = counts.get(key);
  if (before !== undefined || counts.size < most) counts.set(key, (before ?? 0) + by);
}

/** In an exposition, each bucket includes the counts of those below. */
function bucketsOf(bounds: ReadonlyMap<number, number> | undefined): Buckets {
  if (bounds === undefined) return NO_BUCKETS;
  const sorted = [...bounds].sort(([a], [b]) => a - b);
  return {
    boundaries: sorted.map(([bound]) => bound).filter(Number.isFinite),
    counts: sorted.map(([, count], at) => count - (sorted[at - 1]?.[1] ?? 0)),
  };
}
