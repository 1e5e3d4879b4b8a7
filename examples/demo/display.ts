import type { Phase } from './phases.js';
import type { PhaseResult } from './run-phase.js';
import type { View } from './view.js';

/** The output of the demo. */
export interface Display {
  /** The interval between two views in milliseconds. */
  readonly everyMs: number;
  /** Prints a permanent line to stdout. */
  say(line: string): void;
  /** Prints a permanent line to stderr. */
  log(line: string): void;
  /** Announces a phase. */
  begin(phase: Phase): void;
  /** Shows the current state in place of the previous one. */
  show(view: View): void;
  /** Shows the result of a phase. */
  end(result: PhaseResult): void;
  /** Restores the terminal. */
  close(): void;
}
