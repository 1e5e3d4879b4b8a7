import type { Dashboard, GridPos, Panel, RowPanel } from '@grafana/schema';

export type Placed =
  { kind: 'row'; row: RowPanel; at: GridPos } | { kind: 'panel'; panel: Panel; at: GridPos };

const isRow = (panel: Panel | RowPanel): panel is RowPanel => panel.type === 'row';
const nowhere: GridPos = { x: 0, y: 0, w: 24, h: 1 };

/** The dashboard's grid with its collapsed rows expanded: a row's panels push the following ones down. */
export function openedLayout(dashboard: Dashboard): Placed[] {
  let pushedBy = 0;
  return (dashboard.panels ?? []).flatMap((panel): Placed[] => {
    const at = down(panel.gridPos ?? nowhere, pushedBy);
    if (!isRow(panel)) return [{ kind: 'panel', panel, at }];
    const inside = panel.panels.map((child): Placed => {
      return { kind: 'panel', panel: child, at: child.gridPos ?? nowhere };
    });
    const firstY = Math.min(...inside.map((child) => child.at.y));
    const placed = inside.map((child) => ({ ...child, at: down(child.at, at.y + at.h - firstY) }));
    pushedBy += Math.max(0, ...placed.map((child) => child.at.y + child.at.h - at.y - at.h));
    return [{ kind: 'row', row: panel, at }, ...placed];
  });
}

/** One row and the panels below it, moved to the top. */
export function onlyRow(placed: Placed[], title: string): Placed[] {
  const start = placed.findIndex((item) => item.kind === 'row' && item.row.title === title);
  if (start === -1) throw new Error(`no row is called "${title}"`);
  const length = placed.slice(start + 1).findIndex((item) => item.kind === 'row');
  const row = placed.slice(start, length === -1 ? undefined : start + 1 + length);
  const top = row[0]?.at.y ?? 0;
  return row.map((item) => ({ ...item, at: down(item.at, -top) }));
}

const down = (at: GridPos, by: number): GridPos => ({ ...at, y: at.y + by });
