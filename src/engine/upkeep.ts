import type { Engine } from './engine.js';

/** Delay between a connection's end and the top-up that replaces it, in milliseconds: closes come in bursts. */
const TOP_UP_DELAY_MS = 500;
/** First and longest pause after a failed background dial, in milliseconds. */
const BACKOFF_FIRST_MS = 250;
const BACKOFF_LONGEST_MS = 5_000;

/** What `Upkeep` keeps; times in milliseconds, 0 means off. */
export interface UpkeepLimits {
  readonly min: number;
  readonly idleTimeoutMs: number;
  readonly lifetimeMs: number;
  readonly healthCheckPeriodMs: number;
}

/** Keeps an engine at its minimum and destroys what is too old; all its timers are unref'd. */
export class Upkeep<T, C, R extends string> {
  readonly #engine: Engine<T, C, R>;
  readonly #limits: UpkeepLimits;
  #sweeper: NodeJS.Timeout | undefined;
  #topUpTimer: NodeJS.Timeout | undefined;
  #backoffMs = 0;
  #paused = false;

  constructor(engine: Engine<T, C, R>, limits: UpkeepLimits) {
    this.#engine = engine;
    this.#limits = limits;
  }

  start(): void {
    const { healthCheckPeriodMs, idleTimeoutMs, lifetimeMs, min } = this.#limits;
    if (healthCheckPeriodMs > 0) {
      // No limit is enforced later than twice itself.
      const period = Math.min(healthCheckPeriodMs, idleTimeoutMs || Infinity, lifetimeMs || Infinity);
      this.#sweeper = setInterval(() => {
        sweep(this.#engine, performance.now(), idleTimeoutMs, min);
        this.#paused = false;
        if (this.#topUpTimer === undefined) this.#topUp();
      }, period);
      this.#sweeper.unref();
    }
    this.#topUp();
  }

  /** A slot became free: there may be fewer connections than the minimum. */
  slotFreed(): void {
    if (this.#limits.min > 0) this.#schedule(TOP_UP_DELAY_MS);
  }

  /** A construction ended; `background` if no acquirer asked for it. */
  constructed(succeeded: boolean, background: boolean): void {
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
    while (!this.#paused && this.#engine.state.total < min && this.#engine.constructSpare());
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

/** Destroys idle resources that outlived their lifetime, and those idle for `idleMs` as long as more than `keep` are left in all. */
export function sweep<T, C, R extends string>(
  engine: Engine<T, C, R>,
  now: number,
  idleMs: number,
  keep: number,
): void {
  for (const slot of [...engine.idleSlots]) {
    if (slot.state !== 'idle') continue;
    if (now >= slot.expiresAt) engine.discard(slot, 'lifetime');
    else if (idleMs > 0 && now - slot.idleSince >= idleMs && engine.state.total > keep)
      engine.discard(slot, 'idle');
  }
}
