type Timer = NodeJS.Timeout;
type Start = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => Timer;

const SOURCE = /\/src\/(?!.*node_modules)/;

/** Tracks the timers that the package's code starts, including those that do not keep the process alive. */
export class TimerWatch {
  readonly #running = new Map<unknown, string>();
  readonly #originals = { ...pick() };

  constructor() {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = this.#originals;
    const once = this.#watched(setTimeout, true);
    // Copy Node's own properties, because `util.promisify` looks for one of them.
    Object.defineProperties(once, Object.getOwnPropertyDescriptors(setTimeout));
    Object.assign(globalThis, {
      setTimeout: once,
      setInterval: this.#watched(setInterval as Start, false),
      clearTimeout: this.#clearing(clearTimeout),
      clearInterval: this.#clearing(clearInterval),
    });
  }

  /** For each timer that has neither fired nor been cleared, where it was started. */
  get running(): readonly string[] {
    return [...this.#running.values()];
  }

  stop(): void {
    Object.assign(globalThis, this.#originals);
  }

  #watched(start: Start, single: boolean): Start {
    return (callback, ms, ...args) => {
      const from = new Error().stack?.split('\n').find((line) => SOURCE.test(line));
      const run = (...given: unknown[]): void => {
        if (single) this.#running.delete(timer);
        callback(...given);
      };
      const timer = start(run, ms, ...args);
      if (from !== undefined) this.#running.set(timer, from.trim());
      return timer;
    };
  }

  #clearing(clear: (timer?: Timer) => void): (timer?: Timer) => void {
    return (timer) => {
      this.#running.delete(timer);
      clear(timer);
    };
  }
}

function pick() {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  return { setTimeout, setInterval, clearTimeout, clearInterval };
}
