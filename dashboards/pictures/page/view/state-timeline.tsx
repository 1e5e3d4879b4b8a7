import { FieldType, getFieldDisplayName, type DataFrame, type Field } from '@grafana/data';
import { AxisPlacement, ScaleDirection, ScaleDistribution, ScaleOrientation } from '@grafana/schema';
import { UPlotChart, UPlotConfigBuilder, VizLayout } from '@grafana/ui';
import { useMemo } from 'react';
import type uPlot from 'uplot';
import { NoData } from './no-data.tsx';
import type { VisualizationProps } from './visualization.ts';

interface Line {
  name: string;
  times: number[];
  stepMs: number;
  values: (number | null)[];
  field: Field;
}

/** A line per series in the mapped colours. Grafana publishes its axes and plots as packages, but not this panel. */
export function StateTimeline({ panel, frames, width, height, range, timeZone, theme }: VisualizationProps) {
  const plotted = useMemo(() => {
    const lines = frames.flatMap((frame) => linesOf(frame, frames));
    if (lines.length === 0) return undefined;
    const builder = new UPlotConfigBuilder(timeZone);
    builder.addScale({
      scaleKey: 'x',
      orientation: ScaleOrientation.Horizontal,
      direction: ScaleDirection.Right,
      isTime: true,
      range: () => [range.from.valueOf(), range.to.valueOf()],
    });
    builder.addScale({
      scaleKey: 'y',
      orientation: ScaleOrientation.Vertical,
      direction: ScaleDirection.Up,
      distribution: ScaleDistribution.Linear,
      range: () => [0, lines.length],
    });
    const grid = { show: false };
    builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone, theme, grid });
    builder.addAxis({
      ...{ scaleKey: 'y', placement: AxisPlacement.Left, theme, grid },
      splits: () => lines.map((_, index) => index + 0.5),
      values: () => lines.map((_, index) => lines.at(-1 - index)?.name ?? ''),
    });
    builder.addSeries({ scaleKey: 'y', theme, pathBuilder: () => null, show: true });
    builder.scaleKeys = ['x', 'y'];
    builder.addHook('draw', (plot) =>
      lines.forEach((line, index) => drawLine(plot, line, lines.length - index)),
    );
    return { builder, times: lines[0]?.times ?? [] };
  }, [frames, range, timeZone, theme]);

  if (plotted === undefined) return <NoData panel={panel} height={height} />;
  const { builder, times } = plotted;
  return (
    <VizLayout width={width} height={height} legend={null}>
      {(plotWidth, plotHeight) => (
        <UPlotChart
          config={builder}
          data={[times, times.map(() => null)]}
          width={plotWidth}
          height={plotHeight}
        />
      )}
    </VizLayout>
  );
}

function linesOf(frame: DataFrame, frames: DataFrame[]): Line[] {
  const time = frame.fields.find(({ type }) => type === FieldType.time);
  if (time === undefined) return [];
  return frame.fields
    .filter(({ type }) => type === FieldType.number)
    .map((field) => ({
      name: getFieldDisplayName(field, frame, frames),
      times: time.values as number[],
      stepMs: time.config.interval ?? 0,
      values: field.values as (number | null)[],
      field,
    }));
}

/** Draws a line; `place` is counted from the bottom. */
function drawLine(plot: uPlot, { times, stepMs, values, field }: Line, place: number): void {
  const { ctx, bbox } = plot;
  const [top, bottom] = [place - 0.15, place - 0.85].map((y) => plot.valToPos(y, 'y', true)) as [
    number,
    number,
  ];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  values.forEach((value, index) => {
    const color = value === null ? undefined : field.display?.(value).color;
    if (color === undefined) return;
    const [left, right] = [0, stepMs].map((ms) => plot.valToPos((times[index] ?? 0) + ms, 'x', true)) as [
      number,
      number,
    ];
    ctx.fillStyle = color;
    // Rounded outwards, so that there is no gap between two steps.
    ctx.fillRect(Math.floor(left), top, Math.ceil(right) - Math.floor(left), bottom - top);
  });
  ctx.restore();
}
