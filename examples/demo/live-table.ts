import type { WriteStream } from 'node:tty';
import type { Display } from './display.js';
import { tableLines, type Style } from './table.js';
import type { View } from './view.js';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_REST_OF_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** A table that is drawn over itself, below the lines that stay. */
export class LiveTable implements Display {
  readonly everyMs = 250;
  #view: View | undefined;
  #drawn = 0;
  readonly #style = styleFor();
  readonly #redraw = (): void => this.#draw(true);
  readonly #showCursor = (): void => void this.stdout.write(SHOW_CURSOR);

  constructor(
    private readonly stdout: NodeJS.WriteStream,
    private readonly stderr: NodeJS.WriteStream,
  ) {
    stdout.write(HIDE_CURSOR);
    stdout.on('resize', this.#redraw);
    // However the process ends.
    process.once('exit', this.#showCursor);
  }

  say(line: string): void {
    this.#above(this.stdout, line);
  }

  log(line: string): void {
    if (this.stderr.isTTY) this.#above(this.stderr, line);
    else this.stderr.write(`${line}\n`);
  }

  begin(): void {
    // The table has a line for each phase.
  }

  end(): void {
    // As above.
  }

  show(view: View): void {
    this.#view = view;
    this.#draw(false);
  }

  close(): void {
    this.#erase();
    this.#view = undefined;
    this.stdout.off('resize', this.#redraw);
    process.off('exit', this.#showCursor);
    this.#showCursor();
  }

  #above(stream: WriteStream, line: string): void {
    this.#erase();
    stream.write(`${line}\n`);
    this.#draw(false);
  }

  #draw(resized: boolean): void {
    if (!this.#view) return;
    // Both are 0 in a terminal that does not know.
    const columns = this.stdout.columns || 80;
    const rows = this.stdout.rows || 24;
    // A terminal that is resized wraps lines anew, so the cursor may be anywhere.
    const home = resized ? '\x1b[H' : this.#home();
    // One column and one row stay free: a terminal that is written full scrolls.
    const lines = tableLines(this.#view, columns - 1, this.#style).slice(0, rows - 1);
    this.#drawn = lines.length;
    this.stdout.write(home + lines.map((line) => `${line}${CLEAR_REST_OF_LINE}\n`).join('') + CLEAR_BELOW);
  }

  #erase(): void {
    this.stdout.write(this.#home() + CLEAR_BELOW);
    this.#drawn = 0;
  }

  #home(): string {
    return this.#drawn > 0 ? `\x1b[${this.#drawn}A\r` : '\r';
  }
}

function styleFor(): Style {
  const plain = Boolean(process.env['NO_COLOR']);
  const mark =
    (on: number, off: number) =>
    (text: string): string =>
      plain ? text : `\x1b[${on}m${text}\x1b[${off}m`;
  return { bold: mark(1, 22), dim: mark(2, 22), red: mark(31, 39), green: mark(32, 39) };
}
