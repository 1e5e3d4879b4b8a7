import { canRedraw } from '../../src/watch/terminal/redrawn.js';
import type { Display } from './display.js';
import { LiveTable } from './live-table.js';
import { PlainLines } from './plain-lines.js';

/** A live table if stdout is a terminal that supports it, else plain lines. */
export function openDisplay(
  stdout: NodeJS.WriteStream = process.stdout,
  stderr: NodeJS.WriteStream = process.stderr,
): Display {
  return canRedraw(stdout) ? new LiveTable(stdout, stderr) : new PlainLines(stdout, stderr);
}
