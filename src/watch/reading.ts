import { ATTR, DB_SYSTEM_NAME } from '../telemetry/names.js';
import { samplesOf, type Sample } from './exposition.js';
import { NO_BUCKETS, type Buckets } from './quantiles.js';
import { labelOf, seriesOf, type Metric } from './series.js';
import { WatchError } from './watch-error.js';

/** A pool as its series show it at one moment; counters and histograms are cumulative. */
export interface PoolReading {
  /** `''` collects the queries that no pool claims: those that instrumentation-pg reports. */
  readonly pool: string;
  /** `''` where no label tells: the endpoint of a single process. */
  readonly instance: string;
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  readonly limit: number;
  /** Acquirers waiting. */
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
  /** Pools that are not among them because there are too many. */
  readonly leftOut: number;
}

/** Most pools of all instances that are watched at a time. */
export const MOST_POOLS = 64;
const MOST_REASONS = 16;
const MOST_BOUNDARIES = 64;
const LONGEST_NAME = 200;

const POOL = labelOf(ATTR.poolName);
const STATE = labelOf(ATTR.connectionState);
const REASON = labelOf(ATTR.closeReason);
const ERROR = labelOf(ATTR.errorType);
const SYSTEMS = [labelOf(ATTR.dbSystemName), 'db_system'];
// The first is the application's own; the others are what the collector and a federating Prometheus make of it.
const INSTANCES = ['service_instance_id', 'exported_instance', 'instance'];

/**
 * Reads an exposition. Throws `WatchError` when it is in another format, or when no series of pgauge is in it and
 * `mayBeEmpty` is not set.
 */
export function readingOf(text: string, at: number, { mayBeEmpty = false } = {}): Reading {
  const pools = new Map<string, Tally>();
  let ours = false;
  for (const sample of samplesOf(text, (name) => seriesOf(name) !== undefined)) {
    ours ||= sample.name.startsWith('pgauge_');
    const { labels } = sample;
    const pool = kept(labels.get(POOL));
    const instance = kept(INSTANCES.map((name) => labels.get(name)).find(Boolean));
    const key = JSON.stringify([pool, instance]);
    let tally = pools.get(key);
    if (tally === undefined) pools.set(key, (tally = new Tally(pool, instance)));
    tally.add(sample);
  }
  if (!ours && !mayBeEmpty) throw new WatchError('it has no series of pgauge');
  const open = [...pools.values()].filter((tally) => tally.isPool);
  const shown = open.slice(0, MOST_POOLS);
  const instances = new Set(shown.map(({ instance }) => instance));
  const unclaimed = [...pools.values()].filter(
    ({ pool, instance }) => pool === '' && instances.has(instance),
  );
  return {
    at,
    pools: [...shown, ...unclaimed].map((tally) => tally.reading()),
    leftOut: open.length - shown.length,
  };
}

/** Adds up the series of a pool. */
class Tally {
  /** Other libraries report connections, too, by the same names. */
  isPool = false;
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
    if (series === undefined || Number.isNaN(value)) return;
    const { metric, part } = series;
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

/** A copy: a part of the exposition would keep all of it in memory. */
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

/** An exposition counts in each bucket what the ones below count, too. */
function bucketsOf(bounds: ReadonlyMap<number, number> | undefined): Buckets {
  if (bounds === undefined) return NO_BUCKETS;
  const sorted = [...bounds].sort(([a], [b]) => a - b);
  return {
    boundaries: sorted.map(([bound]) => bound).filter(Number.isFinite),
    counts: sorted.map(([, count], at) => count - (sorted[at - 1]?.[1] ?? 0)),
  };
}
