import { PanelChrome } from '@grafana/ui';
import { useMemo, type ComponentType } from 'react';
import { interpolate } from '../data/variables.ts';
import { withFieldConfig } from './field-config.ts';
import { Heatmap } from './heatmap.tsx';
import { Stat } from './stat.tsx';
import { StateTimeline } from './state-timeline.tsx';
import { Table } from './table.tsx';
import { TimeSeries } from './time-series.tsx';
import type { VisualizationProps } from './visualization.ts';

export const visualizations: Record<string, ComponentType<VisualizationProps>> = {
  stat: Stat,
  timeseries: TimeSeries,
  'state-timeline': StateTimeline,
  table: Table,
  heatmap: Heatmap,
};

interface Props extends VisualizationProps {
  problems: string[];
}

export function PanelFrame({ problems, ...props }: Props) {
  const { panel, width, height, frames, values, theme, timeZone } = props;
  const Visualization = visualizations[panel.type];
  const configured = useMemo(
    () => withFieldConfig(frames, panel, theme, values, timeZone),
    [frames, panel, theme, values, timeZone],
  );
  return (
    <PanelChrome
      width={width}
      height={height}
      title={interpolate(panel.title ?? '', values)}
      {...(panel.description === undefined ? {} : { description: panel.description })}
      {...(problems.length === 0 ? {} : { statusMessage: problems.join('\n') })}
      {...(panel.transparent === true ? { displayMode: 'transparent' as const } : {})}
    >
      {(innerWidth, innerHeight) =>
        Visualization === undefined ? null : (
          <Visualization {...props} frames={configured} width={innerWidth} height={innerHeight} />
        )
      }
    </PanelChrome>
  );
}
