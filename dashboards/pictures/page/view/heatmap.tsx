import { FieldType, formattedValueToString, getValueFormat, type DataFrame } from '@grafana/data';
import { AxisPlacement, ScaleDirection, ScaleDistribution, ScaleOrientation } from '@grafana/schema';
import { UPlotChart, UPlotConfigBuilder, VizLayout } from '@grafana/ui';
import { useMemo } from 'react';
import type uPlot from 'uplot';
import { ColorScale } from './color-scale.tsx';
import { colorSteps, stepOf, type HeatmapColors } from './color-scheme.ts';
import { Marks } from './marks.ts';
import { NoData } from './no-data.tsx';
import type { VisualizationProps } from './visualization.ts';

interface HeatmapOptions {
  color?: HeatmapColors;
  yAxis?: { unit?: string; decimals?: number };
  cellValues?: { unit?: string };
  filterValues?: { le?: number };
  cellGap?: number;
  legend?: { show: boolean };
}

interface Buckets {
  times: number[];
  stepMs: number;
  upperEdges: number[];
  /** Indexed by bucket, then by time. */
  counts: (number | null)[][];
}

/** A heatmap with buckets of equal height. Grafana publishes its axes and plots as packages, but not its heatmap. */
export function Heatmap(props: VisualizationProps) {
  const { panel, frames, annotations, width, height, range, timeZone, theme } = props;
  const options = panel.options as HeatmapOptions;
  const plotted = useMemo(() => {
    const buckets = bucketsOf(frames[0]);
    if (buckets === undefined) return undefined;
    const smallest = options.filterValues?.le ?? 1e-9;
    const shown = buckets.counts
      .flat()
      .filter((count): count is number => count !== null && count > smallest);
    const min = options.color?.min ?? shown.reduce((least, count) => Math.min(least, count), Infinity);
    const max = options.color?.max ?? shown.reduce((most, count) => Math.max(most, count), 0);
    const colors = colorSteps(options.color ?? {}, theme.isDark);
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
      range: () => [0, buckets.upperEdges.length],
    });
    builder.addAxis({
      scaleKey: 'x',
      isTime: true,
      placement: AxisPlacement.Bottom,
      timeZone,
      theme,
      grid: { show: false },
    });
    const format = getValueFormat(options.yAxis?.unit ?? panel.fieldConfig?.defaults.unit ?? 'short');
    const label = (edge: number): string =>
      edge === Infinity ? '+Inf' : formattedValueToString(format(edge, options.yAxis?.decimals));
    builder.addAxis({
      scaleKey: 'y',
      placement: AxisPlacement.Left,
      theme,
      grid: { show: false },
      splits: (plot) => evenly(buckets.upperEdges.length, plot.bbox.height / devicePixelRatio / 22),
      values: (_, splits) =>
        splits.map((split) => (split === 0 ? '' : label(buckets.upperEdges[split - 1] ?? 0))),
    });
    builder.addSeries({ scaleKey: 'y', theme, pathBuilder: () => null, show: true });
    builder.scaleKeys = ['x', 'y'];
    const gap = options.cellGap ?? 1;
    builder.addHook('draw', (plot) =>
      drawCells(plot, buckets, gap, (count) =>
        count > smallest
          ? colors[stepOf(count, min, max, colors.length, options.color?.exponent)]
          : undefined,
      ),
    );
    return { builder, buckets, colors, min, max, any: shown.length > 0 };
  }, [frames, options, panel, range, timeZone, theme]);

  if (plotted === undefined) return <NoData panel={panel} height={height} />;
  const { builder, buckets, colors, min, max, any } = plotted;
  const legend =
    any && options.legend?.show !== false ? (
      <VizLayout.Legend placement="bottom">
        <ColorScale colors={colors} min={min} max={max} unit={options.cellValues?.unit ?? 'short'} />
      </VizLayout.Legend>
    ) : null;
  return (
    <VizLayout width={width} height={height} legend={legend}>
      {(plotWidth, plotHeight) => (
        <UPlotChart
          config={builder}
          data={[buckets.times, buckets.times.map(() => null)]}
          width={plotWidth}
          height={plotHeight}
        >
          <Marks config={builder} annotations={annotations} exemplars={[]} theme={theme} />
        </UPlotChart>
      )}
    </VizLayout>
  );
}

function bucketsOf(frame: DataFrame | undefined): Buckets | undefined {
  const time = frame?.fields.find(({ type }) => type === FieldType.time);
  const buckets = frame?.fields.filter(({ type }) => type === FieldType.number) ?? [];
  if (time === undefined || time.values.length === 0 || buckets.length === 0) return undefined;
  return {
    times: time.values as number[],
    stepMs: time.config.interval ?? 0,
    upperEdges: buckets.map(({ name }) => Number(name)),
    counts: buckets.map(({ values }) => values as (number | null)[]),
  };
}

/** Every nth edge, so that at most about `most` have a label. */
function evenly(edges: number, most: number): number[] {
  const step = Math.max(1, Math.ceil(edges / Math.max(1, most)));
  return Array.from({ length: Math.floor(edges / step) + 1 }, (_, index) => index * step);
}

function drawCells(
  plot: uPlot,
  buckets: Buckets,
  gap: number,
  colorOf: (count: number) => string | undefined,
): void {
  const { ctx, bbox } = plot;
  const gapPx = gap * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  buckets.counts.forEach((counts, bucket) => {
    const top = Math.round(plot.valToPos(bucket + 1, 'y', true));
    const bottom = Math.round(plot.valToPos(bucket, 'y', true));
    counts.forEach((count, index) => {
      const color = count === null ? undefined : colorOf(count);
      if (color === undefined) return;
      // A sample describes the step that ends at its time.
      const end = buckets.times[index] ?? 0;
      const left = Math.round(plot.valToPos(end - buckets.stepMs, 'x', true));
      const right = Math.round(plot.valToPos(end, 'x', true));
      ctx.fillStyle = color;
      ctx.fillRect(left, top, Math.max(1, right - left - gapPx), Math.max(1, bottom - top - gapPx));
    });
  });
  ctx.restore();
}
