import type { ConnectionEngine } from '../connection/connection-kind.js';
import { MAX_TIMER_MS, onAbort } from '../deadline.js';
import type { Reached } from '../engine/kind.js';
import { PoolEndedError } from '../errors.js';

/** Options of `ready`. */
export interface ReadyOptions {
  /** Ends the wait; `ready` rejects with the signal's reason. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** How many connections must be open; default the pool's `minConns`, and at least 1. */
  readonly minConns?: number | undefined;
}

interface Probe {
  readonly count: number;
  readonly settle: (error?: Error) => void;
}

/** The calls of `ready` that wait until enough connections are open. */
export class Readiness {
  readonly #engine: ConnectionEngine;
  readonly #upkeep: { readonly min: number; fill(count: number): void };
  readonly #endSignal: AbortSignal;
  readonly #probes = new Set<Probe>();

  constructor(
    engine: ConnectionEngine,
    upkeep: { readonly min: number; fill(count: number): void },
    endSignal: AbortSignal,
  ) {
    this.#engine = engine;
    this.#upkeep = upkeep;
    this.#endSignal = endSignal;
  }

  /** Resolves when enough connections are open; opens them if necessary. */
  async wait({ signal, minConns = Math.max(1, this.#upkeep.min) }: ReadyOptions): Promise<void> {
    const { max } = this.#engine.state;
    if (!Number.isInteger(minConns) || minConns < 1 || minConns > max) {
      throw new RangeError(`minConns must be a whole number from 1 to ${max}`);
    }
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new TypeError('signal must be an AbortSignal');
    }
    if (this.#endSignal.aborted) throw new PoolEndedError();
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      // The pauses between attempts do not keep the process alive.
      const alive = setInterval(() => undefined, MAX_TIMER_MS);
      const probe: Probe = {
        count: minConns,
        settle: (error) => {
          if (!this.#probes.delete(probe)) return;
          clearInterval(alive);
          unfollow?.();
          unended();
          this.#fill();
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      const unfollow = signal && onAbort(signal, () => probe.settle(signal.reason as Error));
      const unended = onAbort(this.#endSignal, () => probe.settle(new PoolEndedError()));
      this.#probes.add(probe);
      this.#fill();
      this.check();
    });
  }

  /** Call when a connection was opened, or the maximum has changed. */
  check(): void {
    if (this.#probes.size === 0) return;
    const { used, idle, max } = this.#engine.state;
    for (const { count, settle } of [...this.#probes]) if (used + idle >= Math.min(count, max)) settle();
  }

  /** Call when an attempt has ended; a failure that waiting cannot resolve ends every wait. */
  constructed(error: unknown, reached: Reached): void {
    if (error === undefined) this.check();
    else if (reached === true || reached === undefined) {
      for (const { settle } of [...this.#probes]) settle(error as Error);
    }
  }

  #fill(): void {
    this.#upkeep.fill(Math.max(0, ...[...this.#probes].map(({ count }) => count)));
  }
}
