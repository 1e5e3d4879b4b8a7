import { AsyncLocalStorage } from 'node:async_hooks';
import { Deadline } from '../deadline.js';
import type { PoolObserver } from '../observer.js';
import type { Slot } from '../engine/slot.js';

/** The code that acquires: the stack of its call, and a function that runs something in the call's async context. */
export interface Acquirer {
  readonly stack: string;
  readonly inContext: <T>(run: () => T) => T;
}

interface Watch {
  readonly stack: string;
  readonly deadline: Deadline;
  suspected: boolean;
}

/** Watches checkouts that last longer than a threshold; made only with `leakDetectionMs`. */
export class LeakDetector {
  readonly #watches = new WeakMap<Slot<unknown>, Watch>();

  readonly #thresholdMs: number;
  readonly #observer: PoolObserver;

  constructor(thresholdMs: number, observer: PoolObserver) {
    this.#thresholdMs = thresholdMs;
    this.#observer = observer;
  }

  /** The code that is now calling `acquire`. */
  acquirer(acquire: (...args: never[]) => unknown): Acquirer {
    const trace = { stack: '' };
    Error.captureStackTrace(trace, acquire);
    return { stack: trace.stack, inContext: AsyncLocalStorage.snapshot() };
  }

  checkedOut(slot: Slot<unknown>, { stack, inContext }: Acquirer): void {
    const suspect = (): void => {
      watch.suspected = true;
      this.#observer.leakSuspected(performance.now() - slot.heldSince, stack);
    };
    // A queued acquirer is served in the async context of the user that released, which is not the one to report.
    const deadline = inContext(() => new Deadline(this.#thresholdMs, suspect));
    const watch: Watch = { stack, deadline, suspected: false };
    this.#watches.set(slot, watch);
  }

  /** The stack of the acquire that holds a slot. */
  stackOf(slot: Slot<unknown>): string | undefined {
    return this.#watches.get(slot)?.stack;
  }

  returned(slot: Slot<unknown>, heldMs: number): void {
    const watch = this.#watches.get(slot);
    if (watch === undefined) return;
    this.#watches.delete(slot);
    watch.deadline.clear();
    if (watch.suspected) this.#observer.leakReturned(heldMs);
  }
}
