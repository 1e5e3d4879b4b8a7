import { FieldType, type DataFrame } from '@grafana/data';
import type { VizLegendOptions } from '@grafana/schema';
import { TimeSeries as GrafanaTimeSeries } from '@grafana/ui';
import { useMemo } from 'react';
import { Marks } from './marks.ts';
import { NoData } from './no-data.tsx';
import type { VisualizationProps } from './visualization.ts';

const defaultLegend = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] } as unknown;

export function TimeSeries(props: VisualizationProps) {
  const { panel, frames, exemplars, annotations, width, height, range, timeZone, theme } = props;
  const graphable = useMemo(() => frames.map(graphableFrame).filter((frame) => frame.length > 0), [frames]);
  if (graphable.length === 0) return <NoData panel={panel} height={height} />;
  const { legend } = panel.options as { legend?: Partial<VizLegendOptions> };
  return (
    <GrafanaTimeSeries
      frames={graphable}
      width={width}
      height={height}
      timeRange={range}
      timeZone={timeZone}
      legend={{ ...(defaultLegend as VizLegendOptions), ...legend }}
    >
      {(config) => <Marks config={config} annotations={annotations} exemplars={exemplars} theme={theme} />}
    </GrafanaTimeSeries>
  );
}

/** Replaces values that cannot be drawn, such as the quantile of no samples, with gaps. */
function graphableFrame(frame: DataFrame): DataFrame {
  return {
    ...frame,
    fields: frame.fields.map((field) =>
      field.type === FieldType.number
        ? { ...field, values: field.values.map((value: unknown) => (Number.isFinite(value) ? value : null)) }
        : field,
    ),
  };
}
