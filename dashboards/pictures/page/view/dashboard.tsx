import type { TimeRange } from '@grafana/data';
import type { GridPos } from '@grafana/schema';
import { Icon, Stack, Text, useTheme2 } from '@grafana/ui';
import { useEffect, type CSSProperties } from 'react';
import type { AnnotationMark } from '../data/annotations.ts';
import type { Placed } from '../data/layout.ts';
import type { PanelData } from '../data/panel-data.ts';
import type { Values } from '../data/variables.ts';
import type { Job } from '../job.ts';
import { Controls } from './controls.tsx';
import { PanelFrame } from './panel.tsx';

export interface DashboardProps {
  job: Job;
  placed: Placed[];
  data: Map<number, PanelData>;
  annotations: AnnotationMark[];
  range: TimeRange;
  timeZone: string;
  values: Values;
  onDrawn: () => void;
}

const columns = 24;
const rowPx = 30;
const gapPx = 8;
export const paddingPx = 16;

/** The position of a panel in Grafana's grid. */
export function boxOf(
  at: GridPos,
  totalWidth: number,
): { left: number; top: number; width: number; height: number } {
  const column = (totalWidth - gapPx * (columns - 1)) / columns;
  return {
    left: Math.round(at.x * (column + gapPx)),
    top: at.y * (rowPx + gapPx),
    width: Math.round(at.w * column + (at.w - 1) * gapPx),
    height: at.h * rowPx + (at.h - 1) * gapPx,
  };
}

export function DashboardPage(props: DashboardProps) {
  const { job, placed, data, annotations, range, timeZone, values, onDrawn } = props;
  const theme = useTheme2();
  useEffect(onDrawn, [onDrawn]);
  const width = window.innerWidth - 2 * paddingPx;
  const boxes = placed.map((item) => ({ item, box: boxOf(item.at, width) }));
  const height = Math.max(0, ...boxes.map(({ box }) => box.top + box.height));
  return (
    <div style={{ padding: paddingPx, background: theme.colors.background.canvas }}>
      {job.row === undefined && (
        <div style={{ marginBottom: paddingPx }}>
          <Controls dashboard={job.dashboard} asked={job.variables} range={range} timeZone={timeZone} />
        </div>
      )}
      <div style={{ position: 'relative', height }}>
        {boxes.map(({ item, box }) => {
          const style: CSSProperties = { position: 'absolute', ...box };
          if (item.kind === 'row') {
            return (
              <div key={`row ${String(item.row.id)}`} style={style}>
                <Stack height="100%" alignItems="center" gap={1}>
                  <Icon name="angle-down" />
                  <Text variant="h5" element="h2">
                    {item.row.title ?? ''}
                  </Text>
                </Stack>
              </div>
            );
          }
          const { panel } = item;
          const { frames = [], exemplars = [], problems = [] } = data.get(panel.id ?? 0) ?? {};
          return (
            <div key={panel.id} style={style}>
              <PanelFrame
                {...{ panel, frames, exemplars, problems, annotations, range, timeZone, theme, values }}
                width={box.width}
                height={box.height}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}
