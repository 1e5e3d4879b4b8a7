import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';
import { expect } from 'vitest';
import type { CloseReason } from '../../../src/observer.js';
import type { InstrumentedPool } from '../../../src/index.js';
import { ATTR, CONNECTION_STATES, METRIC } from '../../../src/telemetry/names.js';
import { CLOSE_REASONS } from '../../../src/observer.js';
import type { meterSdk } from '../../support/telemetry.js';

type Metric = (typeof METRIC)[keyof typeof METRIC];
type Counts = Readonly<Record<string, number>>;

/** The true numbers of a pool in some state, counted by the script that put it there; all 0 by default. */
export interface Truth {
  readonly used?: number;
  readonly idle?: number;
  readonly connecting?: number;
  readonly pending?: number;
  /** 0 once the pool has ended. */
  readonly limit: number;
  /** If absent, the metric is absent too. */
  readonly idleMin?: number;
  /** Acquires by outcome: `ok` or the error's type. */
  readonly acquires?: Counts;
  /** Connection attempts by outcome. */
  readonly attempts?: Counts;
  /** Checkouts that ended. */
  readonly uses?: number;
  /** How many of `uses` ended because the connection was lost, without `release()`. */
  readonly usesLost?: number;
  readonly closed?: Partial<Record<CloseReason, number>>;
  /** How many of `closed` were closed before they became connections of the pool. */
  readonly closedInAttempt?: number;
  readonly timeouts?: number;
  readonly canceled?: number;
  readonly empty?: number;
  readonly lifetimeDestroyed?: number;
  readonly idleDestroyed?: number;
  /** Sessions on the server. */
  readonly sessions?: number;
}

/** Counts the events that a pool's listeners receive. */
export class EventCounts {
  readonly seen = { connect: 0, acquire: 0, release: 0, remove: 0 };

  constructor(pool: InstrumentedPool) {
    for (const event of ['connect', 'acquire', 'release', 'remove'] as const)
      pool.on(event, () => (this.seen[event] += 1));
  }
}

/** Everything that one collection exported about one pool. */
export class Exported {
  private constructor(
    private readonly points: ReadonlyMap<string, readonly DataPoint<number | Histogram>[]>,
    private readonly poolName: string,
  ) {}

  /** Collects once and returns the export of each named pool. */
  static async collect(sdk: ReturnType<typeof meterSdk>, poolNames: readonly string[]): Promise<Exported[]> {
    const collected = await sdk.collect();
    const points = new Map(
      collected.map((metric) => [
        metric.descriptor.name,
        metric.dataPoints as readonly DataPoint<number | Histogram>[],
      ]),
    );
    return poolNames.map((poolName) => new Exported(points, poolName));
  }

  /** The pool's values of a metric, by this attribute. */
  values({ name }: Metric, by: string): Record<string, number> {
    return Object.fromEntries(
      this.of(name).map(({ attributes, value }) => [String(attributes[by]), value as number]),
    );
  }

  /** The pool's only value of a metric; `undefined` if there is none. */
  value({ name }: Metric): number | undefined {
    const found = this.of(name);
    if (found.length > 1) throw new Error(`${found.length} series of ${name}`);
    return found[0]?.value as number | undefined;
  }

  /** The pool's histograms of a metric, by outcome: `ok` or the error's type. */
  outcomes({ name }: Metric): Record<string, Histogram> {
    return Object.fromEntries(
      this.of(name).map(({ attributes, value }) => [
        String(attributes[ATTR.errorType] ?? 'ok'),
        value as Histogram,
      ]),
    );
  }

  private of(name: string): DataPoint<number | Histogram>[] {
    return (this.points.get(name) ?? []).filter((point) => point.attributes[ATTR.poolName] === this.poolName);
  }
}

const counted = (outcomes: Record<string, Histogram>): Record<string, number> =>
  Object.fromEntries(Object.entries(outcomes).map(([outcome, { count }]) => [outcome, count]));
const total = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Compares every exported number of a pool with the truth, with `stat()`, and with the events of its listeners. */
export function expectTruth(
  exported: Exported,
  truth: Truth,
  pool: InstrumentedPool,
  { seen }: EventCounts,
): void {
  const { used = 0, idle = 0, connecting = 0, pending = 0, limit, idleMin } = truth;
  const { acquires = {}, attempts = {}, uses = 0, usesLost = 0, closedInAttempt = 0 } = truth;
  const { timeouts = 0, canceled = 0, empty = 0 } = truth;
  const closed = { ...Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])), ...truth.closed };
  const waits = exported.outcomes(METRIC.waitTime);
  const stat = pool.stat();

  const byState = exported.values(METRIC.connectionCount, ATTR.connectionState);
  expect(Object.keys(byState).sort()).toEqual([...CONNECTION_STATES].sort());
  expect({
    ...byState,
    limit: exported.value(METRIC.connectionLimit),
    idleMin: exported.value(METRIC.connectionIdleMin),
    pending: exported.value(METRIC.pendingRequests),
    timeouts: exported.value(METRIC.timeouts),
    canceled: exported.value(METRIC.canceledAcquires),
    empty: exported.value(METRIC.emptyAcquires),
    opened: exported.value(METRIC.connectionOpened),
    closed: exported.values(METRIC.connectionClosed, ATTR.closeReason),
    acquires: counted(waits),
    attempts: counted(exported.outcomes(METRIC.createTime)),
    uses: exported.outcomes(METRIC.useTime)['ok']?.count ?? 0,
    info: exported.value(METRIC.poolInfo),
  }).toEqual({
    ...{ used, idle, connecting, limit, idleMin, pending },
    ...{ timeouts, canceled, empty, acquires, attempts, uses, closed },
    opened: attempts['ok'] ?? 0,
    info: limit > 0 ? 1 : 0,
  });

  expect(stat).toEqual({
    totalConns: total(byState),
    acquiredConns: used,
    idleConns: idle,
    constructingConns: connecting,
    // The pool still reports its maximum after it has ended.
    maxConns: limit > 0 ? limit : stat.maxConns,
    acquireCount: acquires['ok'] ?? 0,
    acquireDurationMs: expect.closeTo((waits['ok']?.sum ?? 0) * 1000, 6) as number,
    canceledAcquireCount: canceled,
    emptyAcquireCount: empty,
    emptyAcquireWaitTimeMs: expect.closeTo(
      (exported.value(METRIC.emptyAcquireWaitTime) ?? NaN) * 1000,
      6,
    ) as number,
    newConnsCount: total(attempts) + connecting,
    maxLifetimeDestroyCount: truth.lifetimeDestroyed ?? 0,
    maxIdleDestroyCount: truth.idleDestroyed ?? 0,
  });
  expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([total(byState), idle, pending]);
  expect(seen).toEqual({
    connect: attempts['ok'] ?? 0,
    acquire: acquires['ok'] ?? 0,
    release: uses - usesLost,
    remove: total(closed) - closedInAttempt,
  });
}

/** Compares the exported ages with a clock outside of the pool. */
export function expectAges(
  exported: Exported,
  { used = 0, pending = 0 }: Truth,
  { atLeastMs, atMostMs }: { atLeastMs: number; atMostMs: number },
): void {
  for (const [metric, count] of [
    [METRIC.longestUse, used],
    [METRIC.longestWait, pending],
  ] as const) {
    const seconds = exported.value(metric);
    if (count === 0) {
      expect([metric.name, seconds]).toEqual([metric.name, 0]);
      continue;
    }
    expect(seconds).toBeGreaterThanOrEqual(atLeastMs / 1000);
    expect(seconds).toBeLessThanOrEqual(atMostMs / 1000);
  }
}
