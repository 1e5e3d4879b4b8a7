import type { ResourcePool } from './engine.js';

/** Delay between a connection's end and the top-up that replaces it, in milliseconds: closes come in bursts. */
const TOP_UP_DELAY_MS = 500;
/** First and longest pause after a failed background dial, in milliseconds. */
const BACKOFF_FIRST_MS = 250;
const BACKOFF_LONGEST_MS = 5_000;

/** What is kept up; times in milliseconds, 0 means off. */
export interface UpkeepLimits {
  readonly min: number;
  readonly idleTimeoutMs: number;
  readonly lifetimeMs: number;
  readonly healthCheckPeriodMs: number;
}

/** Keeps a pool at its minimum and free of what is too old; all its timers are unref'd. */
export class Upkeep<T, C, R extends string> {
  readonly #engine: ResourcePool<T, C, R>;
  readonly #limits: UpkeepLimits;
  #sweeper: NodeJS.Timeout | undefined;
  #topUpTimer: NodeJS.Timeout | undefined;
  #backoffMs = 0;
  #paused = false;

  constructor(engine: ResourcePool<T, C, R>, limits: UpkeepLimits) {
    this.#engine = engine;
    this.#limits = limits;
  }

  start(): void {
    const { healthCheckPeriodMs, idleTimeoutMs, lifetimeMs, min } = this.#limits;
    if (healthCheckPeriodMs > 0) {
      // No limit is enforced later than twice itself.
      const period = Math.min(healthCheckPeriodMs, idleTimeoutMs || Infinity, lifetimeMs || Infinity);
      this.#sweeper = setInterval(() => {
        this.#engine.sweep(performance.now(), idleTimeoutMs, min);
        this.#paused = false;
        if (this.#topUpTimer === undefined) this.#topUp();
      }, period);
      this.#sweeper.unref();
    }
    this.#topUp();
  }

  /** A slot became free: the minimum may be short. */
  slotFreed(): void {
    if (this.#limits.min > 0) this.#schedule(TOP_UP_DELAY_MS);
  }

  /** A dial ended; `background` if it was for nobody in particular. */
  dialed(succeeded: boolean, background: boolean): void {
    if (succeeded) {
      if (this.#backoffMs > 0) {
        this.#backoffMs = 0;
        clearTimeout(this.#topUpTimer);
        this.#topUpTimer = undefined;
      }
      // With a top-up ahead, connections have just been destroyed, perhaps as soon as they were made.
      if (this.#topUpTimer === undefined) this.#topUp();
    } else if (background && this.#topUpTimer === undefined) {
      this.#backoffMs = Math.min(this.#backoffMs * 2 || BACKOFF_FIRST_MS, BACKOFF_LONGEST_MS);
    }
  }

  /** Gives up a fill that is under way; the next health check resumes it. */
  stopFilling(): void {
    this.#paused = true;
    clearTimeout(this.#topUpTimer);
    this.#topUpTimer = undefined;
  }

  stop(): void {
    clearInterval(this.#sweeper);
    this.stopFilling();
  }

  #topUp(): void {
    const { min } = this.#limits;
    while (!this.#paused && this.#engine.total < min && this.#engine.constructSpare());
  }

  #schedule(delayMs: number): void {
    if (this.#topUpTimer !== undefined || this.#engine.ending) return;
    this.#topUpTimer = setTimeout(
      () => {
        this.#topUpTimer = undefined;
        this.#topUp();
      },
      Math.max(delayMs, this.#backoffMs * (0.75 + Math.random() / 2)),
    );
    this.#topUpTimer.unref();
  }
}
