import { errorClass } from '../support/error-class.js';

/** How many wrong results are told in full. */
const TOLD = 20;

/** Counts what the load does and sees. */
export class Tally {
  operations = 0;
  wrong = 0;
  overMaximum = 0;
  readonly told: string[] = [];
  readonly errors = new Map<string, number>();
  readonly unexplained = new Map<string, number>();
  readonly #unsettled = new Map<number, string>();
  #lastId = 0;

  /** Promises given out that have not settled. */
  get unsettled(): readonly string[] {
    return [...this.#unsettled.values()];
  }

  /** Gives the promise back, and knows until it settles that it has not. */
  async watch<T>(what: string, promise: Promise<T>): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#unsettled.set(id, what);
    try {
      return await promise;
    } finally {
      this.#unsettled.delete(id);
    }
  }

  /** Something came back that must not. */
  isWrong(what: string): void {
    this.wrong += 1;
    if (this.told.length < TOLD) this.told.push(what);
  }

  /** Counts an error by its class: one that a fault explains, or one that nothing does. */
  failed(error: unknown): void {
    const name = errorClass(error);
    // Whoever fails in a transaction of the load's sends nothing more in it.
    if (name === '25P02') this.isWrong("a query ran in another's failed transaction");
    const counts = name === undefined ? this.unexplained : this.errors;
    const key = name ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}
