import type { CloseReason, ConnectPhase, Logger, PoolGauges } from '../hooks.js';
import { ERROR_TYPE } from './names.js';
import { RateLimit } from './rate-limit.js';

/** Milliseconds between two warnings of one pool, message and error type. */
export const WARNING_INTERVAL_MS = 60_000;

/** The log records of one pool. */
export class PoolLogs {
  private readonly warnings = new RateLimit(WARNING_INTERVAL_MS);

  constructor(
    private readonly logger: Logger,
    private readonly pool: string,
  ) {}

  opened(durationMs: number): void {
    this.logger.debug({ pool: this.pool, duration_ms: rounded(durationMs) }, 'postgres connection opened');
  }

  closed(reason: CloseReason, ageMs: number, errorType: string | undefined): void {
    const fields = {
      pool: this.pool,
      reason,
      age_ms: rounded(ageMs),
      ...(errorType !== undefined && { error_type: errorType }),
    };
    this.logger.debug(fields, 'postgres connection closed');
  }

  /** A connection was discarded for a fault; without an error the reason stands for its type. */
  lost(reason: CloseReason, ageMs: number, errorType: string | undefined): void {
    this.warn('postgres connection lost', errorType ?? reason, () => ({ reason, age_ms: rounded(ageMs) }));
  }

  /** `attempt` counts the failures since the last success. */
  connectFailed(failure: {
    errorType: string;
    phase: ConnectPhase;
    attempt: number;
    durationMs: number;
    hint: string | undefined;
  }): void {
    const { errorType, phase, attempt, durationMs, hint } = failure;
    this.warn('postgres connect failed', errorType, () => ({
      phase,
      attempt,
      duration_ms: rounded(durationMs),
      ...(hint !== undefined && { hint }),
    }));
  }

  acquireTimedOut(waitedMs: number, gauges: PoolGauges | undefined): void {
    this.warn('postgres acquire timed out', ERROR_TYPE.acquireTimeout, () => ({
      waited_ms: rounded(waitedMs),
      ...counts(gauges),
    }));
  }

  tokenRefreshFailed(provider: string, errorType: string): void {
    this.warn('postgres token refresh failed', errorType, () => ({ provider }));
  }

  leakSuspected(heldMs: number, stack: string): void {
    this.warn('postgres connection leak suspected', undefined, () => ({ held_ms: rounded(heldMs), stack }));
  }

  leakReturned(heldMs: number): void {
    this.logger.debug({ pool: this.pool, held_ms: rounded(heldMs) }, 'postgres connection leak returned');
  }

  endForced(heldMs: readonly number[]): void {
    this.warn('postgres connection pool end forced', undefined, () => ({
      connections: heldMs.length,
      held_ms: heldMs.map(rounded),
    }));
  }

  ended(totals: { opened: number; closed: number }, gauges: PoolGauges | undefined): void {
    const fields = {
      pool: this.pool,
      opened: totals.opened,
      closed: totals.closed,
      ...(gauges !== undefined && {
        acquire_timeouts: gauges.acquireTimeouts,
        canceled_acquires: gauges.canceledAcquires,
        empty_acquires: gauges.emptyAcquires,
        empty_acquire_wait_time_ms: rounded(gauges.emptyAcquireWaitMs),
      }),
    };
    this.logger.info(fields, 'postgres connection pool ended');
  }

  private warn(message: string, errorType: string | undefined, fields: () => object): void {
    const suppressed = this.warnings.admit(`${message}\n${errorType ?? ''}`);
    if (suppressed === undefined) return;
    this.logger.warn(
      { pool: this.pool, ...(errorType !== undefined && { error_type: errorType }), ...fields(), suppressed },
      message,
    );
  }
}

function counts(gauges: PoolGauges | undefined): object {
  if (gauges === undefined) return {};
  const { used, idle, connecting, pending, limit } = gauges;
  return { total: used + idle + connecting, used, idle, connecting, pending, limit };
}

/** Whole microseconds: what lies below is noise of the clock. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
