import type { DriverClient } from '../connection/driver.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import type { Slot, SlotState } from '../engine/slot.js';

/**
 * The argument of the pool's `error` event for a connection that was lost while no caller held it: idle, or released
 * and not yet ready. Undefined for others, and if a query's caller got the error: it failed in `pool.query`, or took
 * too long.
 */
export function unheldLoss(
  { resource: { lostWith, lossReason, erred, client } }: Slot<PooledConnection>,
  from: SlotState | undefined,
): [error: unknown, client: DriverClient] | undefined {
  if (lostWith === undefined || from === 'held' || erred || lossReason === 'timeout') return undefined;
  if (typeof lostWith === 'object' && lostWith !== null && Object.isExtensible(lostWith)) {
    // Like pg.Pool; not enumerable, because a log of the error would print the whole client.
    const property = { value: client, enumerable: false, configurable: true, writable: true };
    Object.defineProperty(lostWith, 'client', property);
  }
  return [lostWith, client];
}
