/** What a listener or callback throws is its owner's error, not the pool's: it surfaces outside the pool's own work. */
export function surface(thrown: unknown): void {
  process.nextTick(() => {
    throw thrown;
  });
}
