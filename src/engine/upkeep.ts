import type { Engine } from './engine.js';

/** Delay between a connection's end and the top-up that replaces it, in milliseconds: closes come in bursts. */
const TOP_UP_DELAY_MS = 500;

/** What `Upkeep` keeps; times in milliseconds, 0 means off. */
export interface UpkeepLimits {
  /** At first. */
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
  #paused = false;
  #min: number;
  #wanted = 0;

  constructor(engine: Engine<T, C, R>, limits: UpkeepLimits) {
    this.#engine = engine;
    this.#limits = limits;
    this.#min = limits.min;
  }

  /** How many connections are kept. */
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
      // No limit is enforced later than twice itself.
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

  /** A slot became free: there may be fewer connections than the minimum. */
  slotFreed(): void {
    if (this.#min > 0 || this.#wanted > 0) this.#schedule();
  }

  /** A construction succeeded. */
  constructed(): void {
    // With a top-up ahead, connections have just been destroyed, perhaps as soon as they were made.
    if (this.#topUpTimer === undefined) this.#topUp();
  }

  /** The pause after failed constructions is over. */
  resumed(): void {
    this.#topUp();
  }

  /** Fills up to `count` connections, whatever the minimum, until it is called with 0. */
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
