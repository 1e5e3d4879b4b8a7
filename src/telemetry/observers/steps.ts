import { isPoolEnded } from '../error-type.js';
import type { ErrorTypes } from '../error-type.js';
import { quietly } from '../guard.js';
import type { Operation } from '../spans/operation.js';

/** A step of a connection attempt that has not ended. */
export interface OpenStep {
  readonly operation: Operation;
  /** Ends the step, with the type of its error if it failed; only the first call has an effect. */
  finish(errorType?: string, poolEnded?: boolean): void;
}

/** The open steps of one connection attempt: hook, token refresh, initialization. */
export class OpenSteps {
  readonly #errorTypes: ErrorTypes;
  readonly #open = new Set<OpenStep>();

  constructor(errorTypes: ErrorTypes) {
    this.#errorTypes = errorTypes;
  }

  /** Adds a step; `report` is called when it ends, before its span does. */
  add(
    operation: Operation,
    report?: (errorType: string | undefined, poolEnded: boolean | undefined) => void,
  ): OpenStep {
    const step: OpenStep = {
      operation,
      finish: (errorType, poolEnded) => {
        if (!this.#open.delete(step)) return;
        quietly(() => report?.(errorType, poolEnded));
        operation.end(errorType);
      },
    };
    this.#open.add(step);
    return step;
  }

  /** Calls `run` inside the step's span and ends the step with its result. */
  async run<T>(step: OpenStep, run: () => Promise<T>): Promise<T> {
    try {
      const result = await step.operation.run(run);
      step.finish();
      return result;
    } catch (error) {
      step.finish(this.#errorTypes.of(error), isPoolEnded(error));
      throw error;
    }
  }

  /** Fails all open steps, the innermost first. */
  failAll(errorType: string, poolEnded: boolean): void {
    for (const step of [...this.#open].reverse()) step.finish(errorType, poolEnded);
  }
}
