/** The longest pause after the first failure, and after many of them, in milliseconds. */
const FIRST_MS = 100;
export const LONGEST_PAUSE_MS = 5_000;
/** The longest pause while a success may come soon, in milliseconds. */
const SOON_MS = 900;

/** The pauses between constructions while they fail: each has a random length below a bound that doubles. */
export class Backoff {
  readonly #over: () => void;
  readonly #longestMs: number;
  #boundMs = 0;
  /** Whether the last failure reached a server that may accept soon: pauses then stay short. */
  soon = false;
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

  /** Starts the next pause, unless one is in progress. */
  pause(): void {
    if (this.pausing || this.#stopped) return;
    this.#boundMs = Math.min(this.#boundMs * 2 || FIRST_MS, this.#longestMs);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#over();
      },
      Math.random() * Math.min(this.#boundMs, this.soon ? SOON_MS : Infinity),
    );
    this.#timer.unref();
  }

  /** Call when a construction succeeded: ends the pause, and makes the next one as short as the first. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#boundMs = 0;
  }

  /** Ends the pause, and starts no more. */
  stop(): void {
    this.#stopped = true;
    this.reset();
  }
}
