/** The longest pause after the first failure, and after many of them, in milliseconds. */
const FIRST_MS = 100;
export const LONGEST_PAUSE_MS = 5_000;

/** The pauses between constructions while they fail: each has a random length below a bound that doubles. */
export class Backoff {
  readonly #over: () => void;
  readonly #longestMs: number;
  #boundMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `over` is called at the end of each pause; none is longer than `longestMs`. */
  constructor(over: () => void, longestMs = LONGEST_PAUSE_MS) {
    this.#over = over;
    this.#longestMs = longestMs;
  }

  /** Whether a construction failed since the last one that succeeded. */
  get failing(): boolean {
    return this.#boundMs > 0;
  }
  get pausing(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts the next pause, unless one has not ended. */
  pause(): void {
    if (this.pausing || this.#stopped) return;
    this.#boundMs = Math.min(this.#boundMs * 2 || FIRST_MS, this.#longestMs);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#over();
    }, Math.random() * this.#boundMs);
    this.#timer.unref();
  }

  /** A construction succeeded: the pause ends, and the next one is as short as the first. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#boundMs = 0;
  }

  /** Ends the pause; there is no other one. */
  stop(): void {
    this.#stopped = true;
    this.reset();
  }
}
