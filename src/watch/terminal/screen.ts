import type { History } from '../history.js';
import { openPools } from '../reading.js';
import { canRedraw, Redrawn } from './redrawn.js';
import { styleOf } from './style.js';
import { plainLine, viewLines } from './view.js';

/** Shows a history live until closed: redrawn in place if the terminal can, else a line for each reading. */
export function showHistory(
  history: History,
  pageUrl: string,
  stdout: NodeJS.WriteStream,
  stderr: NodeJS.WriteStream,
): { close(): void } {
  return canRedraw(stdout) ? redrawn(history, pageUrl, stdout) : lines(history, stdout, stderr);
}

function redrawn(history: History, pageUrl: string, stdout: NodeJS.WriteStream): { close(): void } {
  const style = styleOf(process.env);
  const screen = new Redrawn(stdout, (columns) => {
    const { title, stateNow: state, reading } = history;
    const figures = history.figures();
    if (reading === undefined || figures === undefined) return [];
    const pools = openPools(reading).map((pool) => ({ pool, figures: history.figures(pool) ?? figures }));
    return viewLines({ title, state, figures, pools, pageUrl }, columns, style);
  });
  screen.draw();
  const stop = history.onChange(() => screen.draw());
  return {
    close: () => {
      stop();
      screen.close();
    },
  };
}

function lines(history: History, stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): { close(): void } {
  let shownAt = 0;
  let live = true;
  const show = (): void => {
    const figures = history.figures();
    if (figures !== undefined && figures.at !== shownAt) stdout.write(`${plainLine(figures)}\n`);
    shownAt = figures?.at ?? shownAt;
    const { stateNow } = history;
    if (stateNow.live !== live) stderr.write(`pgauge: ${stateNow.text}\n`);
    live = stateNow.live;
  };
  show();
  return { close: history.onChange(show) };
}
