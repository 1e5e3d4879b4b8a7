import type { PoolObserver } from '../hooks.js';
import type { Slot } from './slot.js';

interface Watch {
  readonly timer: NodeJS.Timeout;
  suspected: boolean;
}

/** Watches checkouts that last longer than a threshold; made only with `leakDetectionMs`. */
export class LeakDetector {
  readonly #watches = new WeakMap<Slot<unknown>, Watch>();

  constructor(
    private readonly thresholdMs: number,
    private readonly observer: PoolObserver,
  ) {}

  /** The stack of whoever acquires now. */
  captureStack(acquire: (...args: never[]) => unknown): string {
    const trace = { stack: '' };
    Error.captureStackTrace(trace, acquire);
    return trace.stack;
  }

  checkedOut(slot: Slot<unknown>, stack: string): void {
    const timer = setTimeout(() => {
      watch.suspected = true;
      this.observer.leakSuspected(performance.now() - slot.heldSince, stack);
    }, this.thresholdMs);
    timer.unref();
    const watch: Watch = { timer, suspected: false };
    this.#watches.set(slot, watch);
  }

  returned(slot: Slot<unknown>, heldMs: number): void {
    const watch = this.#watches.get(slot);
    if (watch === undefined) return;
    this.#watches.delete(slot);
    clearTimeout(watch.timer);
    if (watch.suspected) this.observer.leakReturned(heldMs);
  }
}
