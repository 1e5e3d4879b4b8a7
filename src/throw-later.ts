/** Throws what a user's listener or callback threw, outside the pool's own work: an uncaught exception, as it would be without a pool. */
export function throwLater(thrown: unknown): void {
  process.nextTick(() => {
    throw thrown;
  });
}
