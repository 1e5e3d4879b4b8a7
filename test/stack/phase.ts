import type { Stack } from './stack.js';
import type { Table } from './table.js';

/**
 * One part of the run: it checks a stack that is healthy when the phase begins, leaves it healthy, and adds its results
 * to the table. An error that it throws becomes a failed row.
 */
export interface Phase {
  /** Used by `--only`, and as its name in the results. */
  readonly name: string;
  /** What it shows when all of its checks pass, in a few words. */
  readonly shows: string;
  run(stack: Stack, table: Table): Promise<void>;
}
