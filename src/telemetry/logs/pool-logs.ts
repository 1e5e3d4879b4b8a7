import type { Logger } from '../../hooks.js';
import type { CloseReason, ConnectPhase, Holder, PoolGauges, SessionHook } from '../../observer.js';
import { ERROR_TYPE } from '../names.js';
import { RateLimit } from './rate-limit.js';
import { LOG, wholeMs, type LogFields, type LogRecord } from './records.js';

/** Milliseconds between two warnings with the same pool, message, and error type or summary. */
export const WARNING_INTERVAL_MS = 60_000;

type Warning = Extract<LogRecord, { readonly level: 'warn' }>;

/** The facts about a query that are logged. */
interface LoggedQuery {
  readonly durationMs: number;
  readonly summary: string | undefined;
  readonly pid: number | null;
}

/** The log records of one pool. */
export class PoolLogs {
  readonly #warnings = new RateLimit(WARNING_INTERVAL_MS);
  readonly #logger: Logger;
  readonly #pool: string;
  #outageLogged = false;

  /** Writes to `logger`, which must be guarded. */
  constructor(logger: Logger, pool: string) {
    this.#logger = logger;
    this.#pool = pool;
  }

  opened(durationMs: number): void {
    this.#write(LOG.connectionOpened, { pool: this.#pool, duration_ms: wholeMs(durationMs) });
  }

  closed(reason: CloseReason, ageMs: number, errorType: string | undefined): void {
    this.#write(LOG.connectionClosed, {
      pool: this.#pool,
      reason,
      // 0 means a failed login: the connection was never open.
      age_ms: ageMs === 0 ? 0 : Math.max(1, wholeMs(ageMs)),
      ...(errorType !== undefined && { error_type: errorType }),
    });
  }

  /** A connection was discarded because of a fault; without an error, `reason` is logged as the error type. */
  lost(reason: CloseReason, ageMs: number, errorType: string | undefined): void {
    this.#warn(LOG.connectionLost, errorType ?? reason, () => ({ reason, age_ms: wholeMs(ageMs) }));
  }

  /** A connection was discarded because of the state in which its user left it; it was not lost. */
  discarded(
    record: typeof LOG.releasedInTransaction | typeof LOG.releasedBusy,
    reason: CloseReason,
    ageMs: number,
  ): void {
    this.#warn(record, undefined, () => ({ reason, age_ms: wholeMs(ageMs) }));
  }

  /** A connection attempt failed; `attempt` is the number of failures since the last success, `tried` the addresses, each with its code. */
  connectFailed(failure: {
    errorType: string;
    phase: ConnectPhase;
    attempt: number;
    durationMs: number;
    tried: readonly string[];
    hint: string | undefined;
  }): void {
    const { errorType, phase, attempt, durationMs, tried, hint } = failure;
    this.#warn(LOG.connectFailed, errorType, () => ({
      phase,
      attempt,
      duration_ms: wholeMs(durationMs),
      ...(tried.length > 0 && { tried }),
      ...(hint !== undefined && { hint }),
    }));
  }

  /** Connection attempts fail because the server cannot be reached. */
  unreachable(errorType: string): void {
    this.#outageLogged = this.#warn(LOG.unreachable, errorType, () => ({}));
  }

  /** The end of an outage is logged only if its beginning was, because outages may follow each other quickly. */
  reachable(outageMs: number): void {
    if (!this.#outageLogged) return;
    this.#write(LOG.reachable, { pool: this.#pool, unreachable_ms: wholeMs(outageMs) });
  }

  acquireTimedOut(waitedMs: number, gauges: PoolGauges | undefined): void {
    this.#warn(LOG.acquireTimedOut, ERROR_TYPE.acquireTimeout, () => ({
      waited_ms: wholeMs(waitedMs),
      ...(gauges !== undefined && counts(gauges)),
    }));
  }

  /** This pool is one of many of its target and name. */
  manyPools(pools: number, hint: string): void {
    this.#warn(LOG.manyPools, undefined, () => ({ pools, hint }));
  }

  /** All connections are used and requests are waiting. */
  saturated(waitedMs: number, gauges: PoolGauges): void {
    this.#warn(LOG.saturated, undefined, () => ({ waited_ms: wholeMs(waitedMs), ...counts(gauges) }));
  }

  recovered(saturatedMs: number, gauges: PoolGauges): void {
    this.#write(LOG.recovered, {
      pool: this.#pool,
      saturated_ms: wholeMs(saturatedMs),
      ...counts(gauges),
    });
  }

  tokenRefreshFailed(provider: string, errorType: string): void {
    this.#warn(LOG.tokenRefreshFailed, errorType, () => ({ provider }));
  }

  sessionHookFailed(hook: SessionHook, durationMs: number, errorType: string): void {
    this.#warn(LOG.sessionHookFailed, errorType, () => ({ hook, duration_ms: wholeMs(durationMs) }));
  }

  /** A query was slow, and failed if there is an `errorType`; limited per summary, whose number is also limited. */
  slowQuery(query: LoggedQuery, rows: number | undefined, errorType: string | undefined): void {
    this.#warn(
      LOG.slowQuery,
      errorType,
      () => ({ ...queryFields(query), ...(rows !== undefined && { rows }) }),
      query.summary,
    );
  }

  /** A query was stopped; limited like slow queries. */
  queryCanceled(query: LoggedQuery, errorType: string): void {
    this.#warn(LOG.queryCanceled, errorType, () => queryFields(query), query.summary);
  }

  /** The user's function for summaries failed for the first time. */
  summaryRefused(hint: string): void {
    this.#warn(LOG.summaryRefused, undefined, () => ({ hint }));
  }

  leakSuspected(heldMs: number, stack: string): void {
    this.#warn(LOG.leakSuspected, undefined, () => ({ held_ms: wholeMs(heldMs), stack }));
  }

  leakReturned(heldMs: number): void {
    this.#write(LOG.leakReturned, { pool: this.#pool, held_ms: wholeMs(heldMs) });
  }

  /** Not limited to one a minute, because the pool itself reports it only that often. */
  endWaiting(holders: readonly Holder[], pending: number): void {
    const stacks = holders.flatMap(({ stack }) => stack ?? []);
    this.#write(LOG.endWaiting, {
      pool: this.#pool,
      connections: holders.length,
      held_ms: holders.map(({ heldMs }) => wholeMs(heldMs)),
      ...(stacks.length > 0 && { stacks }),
      pending,
    });
  }

  endForced(heldMs: readonly number[]): void {
    this.#warn(LOG.endForced, undefined, () => ({
      connections: heldMs.length,
      held_ms: heldMs.map(wholeMs),
    }));
  }

  ended(totals: { opened: number; closed: number }, gauges: PoolGauges | undefined): void {
    this.#write(LOG.poolEnded, {
      pool: this.#pool,
      opened: totals.opened,
      closed: totals.closed,
      ...(gauges !== undefined && {
        acquire_timeouts: gauges.acquireTimeouts,
        canceled_acquires: gauges.canceledAcquires,
        empty_acquires: gauges.emptyAcquires,
        empty_acquire_wait_time_ms: wholeMs(gauges.emptyAcquireWaitMs),
      }),
    });
  }

  /** Returns whether the record was written; it is suppressed shortly after another of its kind. */
  #warn<R extends Warning>(
    record: R,
    errorType: string | undefined,
    fields: () => LogFields<R>,
    kind = errorType,
  ): boolean {
    const suppressed = this.#warnings.admit(`${record.message}\n${kind ?? ''}`);
    if (suppressed === undefined) return false;
    this.#logger.warn(
      {
        pool: this.#pool,
        ...(errorType !== undefined && { error_type: errorType }),
        ...fields(),
        suppressed,
      },
      record.message,
    );
    return true;
  }

  #write<R extends LogRecord>(record: R, fields: LogFields<R>): void {
    this.#logger[record.level](fields, record.message);
  }
}

function queryFields({ durationMs, summary, pid }: LoggedQuery) {
  return {
    duration_ms: wholeMs(durationMs),
    ...(summary !== undefined && { summary }),
    ...(pid !== null && { pid }),
  };
}

function counts({ used, idle, connecting, pending, limit }: PoolGauges) {
  return { total: used + idle + connecting, used, idle, connecting, pending, limit };
}
