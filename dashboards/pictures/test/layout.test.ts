import type { Dashboard } from '@grafana/schema';
import { describe, expect, it } from 'vitest';
import { onlyRow, openedLayout, type Placed } from '../page/data/layout.ts';

const at = (y: number, h: number) => ({ x: 0, y, w: 24, h });
const dashboard = {
  panels: [
    { type: 'row', title: 'first', panels: [], gridPos: at(0, 1) },
    { type: 'stat', title: 'a', gridPos: at(1, 4) },
    {
      type: 'row',
      title: 'closed',
      collapsed: true,
      gridPos: at(5, 1),
      panels: [
        { type: 'stat', title: 'b', gridPos: at(6, 8) },
        { type: 'stat', title: 'c', gridPos: at(14, 2) },
      ],
    },
    { type: 'row', title: 'last', panels: [], gridPos: at(6, 1) },
    { type: 'stat', title: 'd', gridPos: at(7, 3) },
  ],
} as unknown as Dashboard;

const places = (placed: Placed[]): string[] =>
  placed.map((item) => `${String(item.kind === 'row' ? item.row.title : item.panel.title)} ${item.at.y}`);

describe('the layout of a picture', () => {
  it('opens a closed row and moves the rows after it down', () => {
    expect(places(openedLayout(dashboard))).toEqual([
      'first 0',
      'a 1',
      'closed 5',
      'b 6',
      'c 14',
      'last 16',
      'd 17',
    ]);
  });

  it('moves a single row to the top', () => {
    expect(places(onlyRow(openedLayout(dashboard), 'closed'))).toEqual(['closed 0', 'b 1', 'c 9']);
    expect(places(onlyRow(openedLayout(dashboard), 'last'))).toEqual(['last 0', 'd 1']);
  });

  it('throws for an unknown row', () => {
    expect(() => onlyRow(openedLayout(dashboard), 'none')).toThrow('no row is called "none"');
  });
});
