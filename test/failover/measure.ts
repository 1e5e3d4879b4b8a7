import type { LoadEvent } from './contenders/events.js';

/**
 * When a fault began, when another node (or the same one again) was the leader, and when its effects were over. Unix
 * times in milliseconds.
 */
export interface FaultTimes {
  readonly beganAt: number;
  readonly ledAt: number;
  readonly overAt: number;
}

/** The cost of one fault for one contender. */
export interface Cost {
  /** Acquires that failed, by code. */
  readonly noConnection: ReadonlyMap<string, number>;
  /** Queries that failed, by code. */
  readonly failed: ReadonlyMap<string, number>;
  /** The time from the moment a node led to the first write acknowledged after it. */
  readonly firstWriteMs: number;
  /** The most connections dialled in one second. */
  readonly mostDials: number;
}

/** Computes the cost of a fault from a contender's events. */
export function measure(events: readonly LoadEvent[], { beganAt, ledAt, overAt }: FaultTimes): Cost {
  const during = events.filter(({ at }) => at >= beganAt && at < overAt);
  const first = during.find(({ kind, at }) => kind === 'acked' && at >= ledAt);
  return {
    noConnection: byCode(during.filter(({ kind }) => kind === 'no-connection')),
    failed: byCode(during.filter(({ kind }) => kind === 'failed')),
    firstWriteMs: first ? first.at - ledAt : Infinity,
    mostDials: mostInASecond(during.filter(({ kind }) => kind === 'dial').map(({ at }) => at)),
  };
}

/** The fate of a contender's writes, compared with the rows on the server. */
export function compareWrites(
  events: readonly LoadEvent[],
  rows: ReadonlyMap<number, number>,
): { readonly acked: number; readonly lost: readonly number[]; readonly twice: readonly number[] } {
  const acked = events.filter(({ kind }) => kind === 'acked').map(({ words }) => Number(words[0]));
  return {
    acked: acked.length,
    lost: acked.filter((id) => !rows.has(id)),
    twice: [...rows].filter(([, count]) => count > 1).map(([id]) => id),
  };
}

function byCode(events: readonly LoadEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { words } of events) {
    const [code = ''] = words;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return counts;
}

function mostInASecond(times: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [n, at] of times.entries()) {
    while ((times[from] ?? at) <= at - 1_000) from += 1;
    most = Math.max(most, n - from + 1);
  }
  return most;
}
