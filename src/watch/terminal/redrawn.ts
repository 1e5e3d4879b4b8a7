import type { WriteStream } from 'node:tty';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_REST_OF_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** Whether a stream is a terminal that can overwrite its text. */
export function canRedraw(stdout: NodeJS.WriteStream): boolean {
  return stdout.isTTY && process.env['TERM'] !== 'dumb';
}

/** Lines in a terminal that are redrawn in place, below permanent lines. */
export class Redrawn {
  #drawn = 0;
  readonly #redraw = (): void => this.draw({ resized: true });
  readonly #showCursor = (): void => void this.stdout.write(SHOW_CURSOR);

  /** `lines` returns the current lines, none wider than the given columns. */
  constructor(
    private readonly stdout: NodeJS.WriteStream,
    private readonly lines: (columns: number) => readonly string[],
  ) {
    stdout.write(HIDE_CURSOR);
    stdout.on('resize', this.#redraw);
    // Runs however the process ends.
    process.once('exit', this.#showCursor);
  }

  /** Writes a permanent line. */
  above(stream: WriteStream, line: string): void {
    this.#erase();
    stream.write(`${line}\n`);
    this.draw();
  }

  draw({ resized = false } = {}): void {
    // Both are 0 in a terminal that does not know its size.
    const columns = this.stdout.columns || 80;
    const rows = this.stdout.rows || 24;
    // One column and one row stay free, because a full terminal scrolls.
    const lines = this.lines(columns - 1).slice(0, rows - 1);
    // A resized terminal wraps lines again, so the cursor may be anywhere.
    const home = resized && lines.length > 0 ? '\x1b[H' : this.#home();
    this.#drawn = lines.length;
    this.stdout.write(home + lines.map((line) => `${line}${CLEAR_REST_OF_LINE}\n`).join('') + CLEAR_BELOW);
  }

  /** Leaves the terminal as it was. */
  close(): void {
    this.#erase();
    this.stdout.off('resize', this.#redraw);
    process.off('exit', this.#showCursor);
    this.#showCursor();
  }

  #erase(): void {
    this.stdout.write(this.#home() + CLEAR_BELOW);
    this.#drawn = 0;
  }

  #home(): string {
    return this.#drawn > 0 ? `\x1b[${this.#drawn}A\r` : '\r';
  }
}
