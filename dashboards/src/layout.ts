import type { PanelSpec, Row } from './board.js';

const GRID_WIDTH = 24;

/** The height of a row's heading. */
export const rowHeight = 1;

interface Placed {
  readonly panel: PanelSpec;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Places panels from left to right in lines, and rows from top to bottom; a collapsed row is only a heading high. */
export function rowsFromTop(rows: readonly Row[]): { row: Row; y: number; panels: Placed[] }[] {
  let top = 0;
  return rows.map((row) => {
    const y = top;
    const panels = inLines(row.panels, y + rowHeight);
    top = row.collapsed === true ? y + rowHeight : Math.max(...panels.map((panel) => panel.y + panel.h));
    return { row, y, panels };
  });
}

function inLines(panels: readonly PanelSpec[], top: number): Placed[] {
  let [x, y, lineHeight] = [0, top, 0];
  return panels.map((panel) => {
    if (x + panel.width > GRID_WIDTH) [x, y, lineHeight] = [0, y + lineHeight, 0];
    const placed = { panel, x, y, w: panel.width, h: panel.height };
    x += panel.width;
    lineHeight = Math.max(lineHeight, panel.height);
    return placed;
  });
}
