import { AcquireTimeoutError } from '../errors.js';
import type { Slot } from '../engine/slot.js';

/** How many of the longest holders are named. */
const HOLDERS_NAMED = 3;

interface EngineState {
  readonly total: number;
  readonly acquired: number;
  readonly idle: number;
  readonly constructing: number;
  readonly pending: number;
  readonly holders: Iterable<Slot<unknown>>;
}

/** Tells why nobody served the acquirer: the pool's figures, who holds longest, and why connecting failed last. */
export function acquireTimeoutError(
  state: EngineState,
  waitedMs: number,
  lastConnectError: unknown,
): AcquireTimeoutError {
  const { total, acquired, idle, constructing, pending } = state;
  const counts = `total ${total}, used ${acquired}, idle ${idle}, connecting ${constructing}, waiting ${pending}`;
  const parts = [`waited ${Math.round(waitedMs)} ms`, counts];
  const ages = longestHeld(state.holders).map((ms) => `${Math.round(ms)} ms`);
  if (ages.length > 0) parts.push(`longest held ${ages.join(', ')}`);
  if (lastConnectError === undefined) {
    return new AcquireTimeoutError(`timeout exceeded when trying to connect (${parts.join('; ')})`);
  }
  parts.push(`last connect error ${describe(lastConnectError)}`);
  return new AcquireTimeoutError(`timeout exceeded when trying to connect (${parts.join('; ')})`, {
    cause: lastConnectError,
  });
}

function longestHeld(holders: Iterable<Slot<unknown>>): number[] {
  const now = performance.now();
  const ages: number[] = [];
  for (const { heldSince } of holders) {
    ages.push(now - heldSince);
    if (ages.length === HOLDERS_NAMED) break;
  }
  return ages;
}

/** A code if there is one, else the kind of error: a message may hold what the server was asked. */
function describe(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
}
