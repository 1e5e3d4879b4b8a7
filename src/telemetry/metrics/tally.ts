import { CLOSE_REASONS, type CloseReason } from '../../observer.js';

/** Cumulative counts that telemetry keeps itself, because no gauge of the pool has them. */
export interface Tally {
  opened: number;
  readonly closed: Record<CloseReason, number>;
}

/** A tally with all reasons at 0: a counter that first appears with a higher value hides its first event. */
export function newTally(): Tally {
  const closed = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])) as Record<
    CloseReason,
    number
  >;
  return { opened: 0, closed };
}
