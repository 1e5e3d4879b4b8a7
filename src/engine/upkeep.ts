import type { Engine } from './engine.js';

/** Delay between a connection's end and the top-up that replaces it, in milliseconds: closes come in bursts. */
const TOP_UP_DELAY_MS = 500;

/** The limits that `Upkeep` enforces; times in milliseconds, 0 means off. */
export interface UpkeepLimits {
  /** The initial minimum. */
  readonly min: number;
  readonly idleTimeoutMs: number;
  readonly lifetimeMs: number;
  readonly healthCheckPeriodMs: number;
}

/** Keeps an engine at its minimum and destroys idle resources that are too old; all its timers are unref'd. */
export class Upkeep<T, C, R extends string> {
  readonly #engine: Engine<T, C, R>;
  readonly #limits: UpkeepLimits;
  #sweeper: NodeJS.Timeout | undefined;
  #topUpTimer: NodeJS.Timeout | undefined;
  #paused = false;
  #min: number;
  #wanted = 0;

  constructor(engine: Engine<T, C, R>, limits: UpkeepLimits) {
    this.#engine = engine;
    this.#limits = limits;
    this.#min = limits.min;
  }

  /** The minimum number of connections. */
  get min(): number {
    return this.#min;
  }
  set min(min: number) {
    this.#min = min;
    this.#topUp();
  }

  start(): void {
    const { healthCheckPeriodMs, idleTimeoutMs, lifetimeMs } = this.#limits;
    if (healthCheckPeriodMs > 0) {
      // So that every limit is enforced within twice its value.
      const period = Math.min(healthCheckPeriodMs, idleTimeoutMs || Infinity, lifetimeMs || Infinity);
      this.#sweeper = setInterval(() => {
        sweep(this.#engine, performance.now(), idleTimeoutMs, this.#min);
        this.#paused = false;
        if (this.#topUpTimer === undefined) this.#topUp();
      }, period);
      this.#sweeper.unref();
    }
    this.#topUp();
  }

  /** Call when a slot became free: there may be fewer connections than the minimum. */
  slotFreed(): void {
    if (this.#min > 0 || this.#wanted > 0) this.#schedule();
  }

  /** Call when a construction succeeded. */
  constructed(): void {
    // If a top-up is scheduled, connections have just been destroyed, perhaps as soon as they were made.
    if (this.#topUpTimer === undefined) this.#topUp();
  }

  /** Call when the pause after failed constructions is over. */
  resumed(): void {
    this.#topUp();
  }

  /** Fills up to `count` connections, regardless of the minimum, until called with 0. */
  fill(count: number): void {
    this.#wanted = count;
    this.#topUp();
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
    const goal = Math.max(this.#paused ? 0 : this.#min, this.#wanted);
    while (this.#engine.state.total < goal && this.#engine.constructSpare());
  }

  #schedule(): void {
    if (this.#topUpTimer !== undefined || this.#engine.ending) return;
    this.#topUpTimer = setTimeout(() => {
      this.#topUpTimer = undefined;
      this.#topUp();
    }, TOP_UP_DELAY_MS);
    this.#topUpTimer.unref();
  }
}

/** Destroys idle resources past their lifetime, and those idle for `idleMs` while more than `keep` are left in all. */
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
