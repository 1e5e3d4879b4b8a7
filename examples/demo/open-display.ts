import type { Display } from './display.js';
import { LiveTable } from './live-table.js';
import { PlainLines } from './plain-lines.js';

/** A live table where stdout is a terminal that can, else plain lines. */
export function openDisplay(
  stdout: NodeJS.WriteStream = process.stdout,
  stderr: NodeJS.WriteStream = process.stderr,
): Display {
  const live = stdout.isTTY && process.env['TERM'] !== 'dumb';
  return live ? new LiveTable(stdout, stderr) : new PlainLines(stdout, stderr);
}
