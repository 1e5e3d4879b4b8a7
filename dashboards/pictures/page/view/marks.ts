import type { GrafanaTheme2 } from '@grafana/data';
import { colorManipulator } from '@grafana/data';
import type { UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect } from 'react';
import type uPlot from 'uplot';
import type { AnnotationMark } from '../data/annotations.ts';
import type { ExemplarMark } from '../data/exemplars.ts';

interface Props {
  config: UPlotConfigBuilder;
  annotations: AnnotationMark[];
  exemplars: ExemplarMark[];
  theme: GrafanaTheme2;
}

/** Draws annotations and exemplars over a plot, because Grafana publishes no package that does. */
export function Marks({ config, annotations, exemplars, theme }: Props): null {
  // A layout effect runs before the plot is created: the plot's own effect runs after those of its children.
  useLayoutEffect(() => {
    config.addHook('draw', (plot) => {
      plot.ctx.save();
      for (const mark of annotations) drawAnnotation(plot, mark, theme);
      for (const exemplar of exemplars) drawExemplar(plot, exemplar, config.scaleKeys[1], theme);
      plot.ctx.restore();
    });
  }, [config, annotations, exemplars, theme]);
  return null;
}

function drawAnnotation(plot: uPlot, mark: AnnotationMark, theme: GrafanaTheme2): void {
  const { ctx, bbox } = plot;
  const color = theme.visualization.getColorByName(mark.color);
  const [left, right] = [mark.fromMs, mark.toMs].map((ms) => plot.valToPos(ms, 'x', true)) as [
    number,
    number,
  ];
  if (right < bbox.left || left > bbox.left + bbox.width) return;
  const size = 5 * devicePixelRatio;
  const bottom = bbox.top + bbox.height;
  ctx.fillStyle = ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  for (const x of new Set([left, right])) {
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bottom);
  }
  ctx.stroke();
  if (right > left) {
    ctx.fillRect(left, bottom, right - left, size);
    ctx.fillStyle = colorManipulator.alpha(color, 0.1);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  } else {
    ctx.beginPath();
    ctx.moveTo(left, bottom);
    ctx.lineTo(left - size, bottom + size);
    ctx.lineTo(left + size, bottom + size);
    ctx.fill();
  }
}

function drawExemplar(plot: uPlot, exemplar: ExemplarMark, scale: string, theme: GrafanaTheme2): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(exemplar.ms, 'x', true);
  // An exemplar beyond the axis is drawn at its edge.
  const y = Math.min(bbox.top + bbox.height, Math.max(bbox.top, plot.valToPos(exemplar.value, scale, true)));
  if (x < bbox.left || x > bbox.left + bbox.width || !Number.isFinite(y)) return;
  const size = 2.5 * devicePixelRatio;
  // Only outlines, so that the lines remain visible.
  ctx.strokeStyle = theme.visualization.getColorByName('light-blue');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(x, y - size);
  ctx.lineTo(x + size, y);
  ctx.lineTo(x, y + size);
  ctx.lineTo(x - size, y);
  ctx.closePath();
  ctx.stroke();
}
