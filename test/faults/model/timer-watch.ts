type Timer = NodeJS.Timeout;
type Start = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => Timer;

const SOURCE = /\/src\/(?!.*node_modules)/;

/** Knows the timers that code of the package starts, those included that do not keep the process alive. */
export class TimerWatch {
  readonly #running = new Map<unknown, string>();
  readonly #originals = { ...pick() };

  constructor() {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = this.#originals;
    const once = this.#watched(setTimeout, true);
    // As Node's own, so that `util.promisify` finds what it looks for.
    Object.defineProperties(once, Object.getOwnPropertyDescriptors(setTimeout));
    Object.assign(globalThis, {
      setTimeout: once,
      setInterval: this.#watched(setInterval as Start, false),
      clearTimeout: this.#clearing(clearTimeout),
      clearInterval: this.#clearing(clearInterval),
    });
  }

  /** Where each timer that has neither fired nor been cleared was started. */
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
