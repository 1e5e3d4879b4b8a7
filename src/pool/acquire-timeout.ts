import { AcquireTimeoutError } from '../errors.js';
import { failedPlaces } from '../foreign-error.js';
import type { EngineState } from '../engine/state.js';
import type { Slot } from '../engine/slot.js';

/** The number of longest checkouts that are named. */
const HOLDERS_NAMED = 3;

/** Explains why the acquirer was not served: the pool's figures, the longest checkouts, and the last connect error. */
export function acquireTimeoutError(
  state: EngineState<unknown, unknown>,
  waitedMs: number,
  lastConnectError: unknown,
): AcquireTimeoutError {
  const { total, used, idle, connecting, pending } = state;
  const counts = `total ${total}, used ${used}, idle ${idle}, connecting ${connecting}, waiting ${pending}`;
  const parts = [`waited ${Math.round(waitedMs)} ms`, counts];
  const ages = longestHeld(state.holders).map((ms) => `${Math.round(ms)} ms`);
  if (ages.length > 0) parts.push(`longest held ${ages.join(', ')}`);
  if (lastConnectError !== undefined) parts.push(`last connect error ${describe(lastConnectError)}`);
  const message = `timeout exceeded when trying to connect (${parts.join('; ')})`;
  const options = lastConnectError === undefined ? undefined : { cause: lastConnectError };
  return withoutFrames(() => new AcquireTimeoutError(message, options));
}

/** Makes an error without frames, most of its cost, which would be a timer's: the caller's are added on rejection. */
function withoutFrames<E extends Error>(make: () => E): E {
  const limit = Error.stackTraceLimit;
  // If built-ins are frozen, the error has frames.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
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

/** The code or else the class of an error, and its place; not its message, which may contain parts of a query. */
function describe(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  const kind = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
  const places = failedPlaces(error).map(({ place }) => place);
  return places.length === 0 ? kind : `${kind} (${places.join(', ')})`;
}
