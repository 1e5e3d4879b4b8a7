import { errorClass } from '../support/error-class.js';

/** How many wrong results are reported in full. */
const TOLD = 20;

/** Counts the load's operations and their results. */
export class Tally {
  operations = 0;
  wrong = 0;
  overMaximum = 0;
  readonly told: string[] = [];
  readonly errors = new Map<string, number>();
  readonly unexplained = new Map<string, number>();
  readonly #unsettled = new Map<number, string>();
  #lastId = 0;

  /** Returned promises that have not settled. */
  get unsettled(): readonly string[] {
    return [...this.#unsettled.values()];
  }

  /** Returns the promise, and lists it in `unsettled` until it settles. */
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

  /** Records a result that must not occur. */
  isWrong(what: string): void {
    this.wrong += 1;
    if (this.told.length < TOLD) this.told.push(what);
  }

  /** Counts an error by its class: explained by a fault, or unexplained. */
  failed(error: unknown): void {
    const name = errorClass(error);
    // After an error in its own transaction, the load sends nothing more in that transaction.
    if (name === '25P02') this.isWrong("a query ran in another's failed transaction");
    const counts = name === undefined ? this.unexplained : this.errors;
    const key = name ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}
