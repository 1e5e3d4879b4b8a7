import type { Stack } from './stack.js';
import type { Table } from './table.js';

/** One part of the run: looks at a stack that is healthy when it begins, leaves it so, and says in the table what it saw. What it throws is a failed row. */
export interface Phase {
  /** For `--only`, and its heading in the table. */
  readonly name: string;
  run(stack: Stack, table: Table): Promise<void>;
}
