import { CANCEL_REASONS, CLOSE_REASONS, type CancelReason, type CloseReason } from '../../observer.js';

/** Cumulative counts that telemetry keeps itself, because no gauge of the pool has them. */
export interface Tally {
  opened: number;
  readonly closed: Record<CloseReason, number>;
  readonly canceled: Record<CancelReason, number>;
}

/** A tally with all reasons at 0: a counter that first appears with a higher value hides its first event. */
export function newTally(): Tally {
  return { opened: 0, closed: zeros(CLOSE_REASONS), canceled: zeros(CANCEL_REASONS) };
}

/** A copy that no longer changes. */
export function finalTally({ opened, closed, canceled }: Tally): Tally {
  return { opened, closed: { ...closed }, canceled: { ...canceled } };
}

function zeros<Reason extends string>(reasons: readonly Reason[]): Record<Reason, number> {
  return Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<Reason, number>;
}
