import type { Phase } from './phases.js';
import type { PhaseResult } from './run-phase.js';
import type { View } from './view.js';

/** Where the demo shows itself. */
export interface Display {
  /** Milliseconds between two views. */
  readonly everyMs: number;
  /** Prints a line on stdout that stays. */
  say(line: string): void;
  /** Prints a line on stderr that stays. */
  log(line: string): void;
  /** Says that a phase begins. */
  begin(phase: Phase): void;
  /** Shows the present state in place of the last. */
  show(view: View): void;
  /** Says what came of a phase. */
  end(result: PhaseResult): void;
  /** Leaves the terminal as it was. */
  close(): void;
}
