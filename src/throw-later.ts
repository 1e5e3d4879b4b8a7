/**
 * Rethrows the error of a user's listener or callback, outside the pool's own work: an uncaught exception, as it
 * would be without a pool.
 */
export function throwLater(thrown: unknown): void {
  process.nextTick(() => {
    throw thrown;
  });
}
