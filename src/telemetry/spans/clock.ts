/**
 * The clock of a span and its descendants. It reads the wall clock once and the monotonic clock from then on, so that
 * a child never starts before its parent or ends after it.
 */
export class SpanClock {
  readonly #startedAt: number;
  readonly #startedMonotonic: number;

  /** Starts the clock `agoMs` milliseconds in the past. */
  constructor(agoMs = 0) {
    this.#startedMonotonic = performance.now() - agoMs;
    this.#startedAt = Date.now() - agoMs;
  }

  /** The start, in milliseconds since the Unix epoch. */
  start(): number {
    return this.#startedAt;
  }

  /** The current time, in milliseconds since the Unix epoch. */
  now(): number {
    return this.#startedAt + performance.now() - this.#startedMonotonic;
  }
}
