import { Redrawn } from '../../src/watch/terminal/redrawn.js';
import { styleOf } from '../../src/watch/terminal/style.js';
import type { Display } from './display.js';
import { tableLines } from './table.js';
import type { View } from './view.js';

/** A table that is redrawn in place, below the permanent lines. */
export class LiveTable implements Display {
  readonly everyMs = 250;
  #view: View | undefined;
  readonly #table: Redrawn;

  constructor(
    private readonly stdout: NodeJS.WriteStream,
    private readonly stderr: NodeJS.WriteStream,
  ) {
    const style = styleOf(process.env);
    this.#table = new Redrawn(stdout, (columns) =>
      this.#view ? tableLines(this.#view, columns, style) : [],
    );
  }

  say(line: string): void {
    this.#table.above(this.stdout, line);
  }

  log(line: string): void {
    if (this.stderr.isTTY) this.#table.above(this.stderr, line);
    else this.stderr.write(`${line}\n`);
  }

  begin(): void {
    // Not needed: the table has a line for each phase.
  }

  end(): void {
    // Not needed, for the same reason.
  }

  show(view: View): void {
    this.#view = view;
    this.#table.draw();
  }

  close(): void {
    this.#view = undefined;
    this.#table.close();
  }
}
