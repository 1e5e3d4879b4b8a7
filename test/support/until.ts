import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls every `everyMs` (10) until `condition` returns something truthy, and returns it; throws with `what` after
 * `timeoutMs` (30 000).
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 30_000,
  everyMs = 10,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(everyMs);
  }
}

/** The error that a promise rejects with; throws when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error as Error & { code?: string };
  throw new Error(`resolved with ${String(outcome.value)} instead of rejecting`);
}
