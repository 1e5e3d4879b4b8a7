import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { InstrumentedPool } from '../../src/index.js';
import type { Ledger } from './ledger.js';
import { endWithLastWords, OPERATIONS, type Load } from './operations.js';
import type { Tally } from './tally.js';

/** One operation of the load and the number in [0, 1) that varies it. */
interface Step {
  readonly name: keyof typeof OPERATIONS;
  readonly vary: number;
}

const STEPS_OF_ONE_WORKER = 1_000;

/** Runs several workers, each with its own random order of operations, until it is stopped. */
export class Workload {
  /** Called after each operation that succeeded, with the time it began. */
  onSuccess: (startedAt: number) => void = () => undefined;
  readonly #load: Load;
  readonly #max: number;
  readonly #workers: Promise<void>[] = [];
  #stopped = false;

  constructor(
    pool: InstrumentedPool,
    tally: Tally,
    ledger: Ledger,
    readonly plan: { workers: number; seed: number; max: number },
  ) {
    this.#load = { pool, tally, ledger, owners: new Map(), lastOwner: 0 };
    this.#max = plan.max;
    for (let worker = 0; worker < plan.workers; worker += 1) {
      const steps = fc.sample(step, { numRuns: STEPS_OF_ONE_WORKER, seed: plan.seed + worker });
      this.#workers.push(this.#work(steps));
    }
  }

  /** Ends the pool while queries are outstanding; call it after `stop`. */
  endPool(): Promise<void> {
    return this.#load.tally.watch('end', endWithLastWords(this.#load));
  }

  /** Starts no new operations; resolves when those in progress have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }

  async #work(steps: readonly Step[]): Promise<void> {
    const { tally, pool } = this.#load;
    for (let at = 0; !this.#stopped; at = (at + 1) % steps.length) {
      const { name, vary } = steps[at] ?? { name: 'echo', vary: 0 };
      const startedAt = performance.now();
      tally.operations += 1;
      try {
        await tally.watch(name, OPERATIONS[name](this.#load, vary));
        this.onSuccess(startedAt);
      } catch (error) {
        tally.failed(error);
      }
      if (pool.totalCount > this.#max) tally.overMaximum += 1;
      await sleep(vary * 20);
    }
  }
}

const weights: Record<keyof typeof OPERATIONS, number> = {
  echo: 300,
  rows: 150,
  callback: 100,
  insert: 250,
  transaction: 150,
  unawaited: 60,
  abandonedTransaction: 20,
  failedTransaction: 20,
  releasedMidQuery: 15,
  session: 100,
  sqlError: 50,
  aborted: 40,
  impatient: 40,
  slowQuery: 2,
  releasedWithError: 15,
  releasedTwice: 20,
  leak: 4,
};

const step: fc.Arbitrary<Step> = fc.record({
  name: fc.oneof(
    ...Object.entries(weights).map(([name, weight]) => ({
      weight,
      arbitrary: fc.constant(name as keyof typeof OPERATIONS),
    })),
  ),
  vary: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
});
