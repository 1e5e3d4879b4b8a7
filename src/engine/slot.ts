import type { EngineDeadline } from './deadline.js';
import type { Linked } from './linked-list.js';

/**
 * The state of a slot: `idle`; used, which is either `held` by its user or `between` (just made, being pinged, or being
 * judged after its return); `gone` once its resource is destroyed.
 */
export type SlotState = 'between' | 'idle' | 'held' | 'gone';

/** One resource and the place it takes; times by `performance.now()`. */
export class Slot<T> implements Linked<Slot<T>> {
  prev: Slot<T> | undefined;
  next: Slot<T> | undefined;
  state: SlotState = 'between';
  idleSince = 0;
  heldSince = 0;
  uses = 0;
  /** Whether it has been used since it was made or last reset. */
  used = false;
  /** The limit of the wait for a returned resource to become ready. */
  settling: EngineDeadline | undefined;

  constructor(
    readonly resource: T,
    readonly createdAt: number,
    readonly expiresAt: number,
    readonly generation: number,
  ) {}
}

/** When a resource that is made now exceeds its lifetime; `lifetimeMs` 0 means never. */
export function expiry(
  now: number,
  { lifetimeMs, lifetimeJitterMs }: { readonly lifetimeMs: number; readonly lifetimeJitterMs: number },
): number {
  return lifetimeMs === 0 ? Infinity : now + lifetimeMs + Math.random() * lifetimeJitterMs;
}
