import {
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
  type DataFrame,
  type DataTransformerConfig,
  type DataTransformerInfo,
  type TimeRange,
} from '@grafana/data';
import type { Panel } from '@grafana/schema';
import { lastValueFrom } from 'rxjs';
import { thinned, type ExemplarMark } from './exemplars.ts';
import { heatmapFrame, seriesFrames, tableFrame } from './frames.ts';
import { intervalsFor, intervalVariables } from './intervals.ts';
import { query, queryExemplars, queryRange } from './prometheus.ts';
import { interpolate, type Values } from './variables.ts';

export interface PanelData {
  frames: DataFrame[];
  exemplars: ExemplarMark[];
  problems: string[];
}

/** The relevant fields of a Prometheus target. */
interface Target {
  refId: string;
  expr?: string;
  legendFormat?: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  range?: boolean;
  exemplar?: boolean;
  hide?: boolean;
  interval?: string;
  datasource?: { type?: string };
}

interface Answered {
  frames: DataFrame[];
  exemplars: ExemplarMark[];
}

export interface DataContext {
  range: TimeRange;
  scrapeInterval: string;
  values: Values;
}

// A set, because one transformer is listed under two names.
const transformers = new Set(Object.values(standardTransformers as Record<string, DataTransformerInfo>));
standardTransformersRegistry.setInit(() =>
  [...transformers].map((transformer) => ({
    id: transformer.id,
    name: transformer.name,
    editor: () => null,
    transformation: () => Promise.resolve(transformer),
    imageDark: '',
    imageLight: '',
  })),
);

/** Runs a panel's queries and applies its transformations; returns failures together with the other data. */
export async function fetchPanel(panel: Panel, widthPx: number, context: DataContext): Promise<PanelData> {
  const targets = ((panel.targets ?? []) as unknown as Target[]).filter(({ hide }) => hide !== true);
  const problems: string[] = [];
  const answered = await Promise.all(
    targets.map(async (target): Promise<Answered> => {
      try {
        return await answerTarget(target, targets.length === 1, panel, widthPx, context);
      } catch (error) {
        problems.push(`${target.refId}: ${error instanceof Error ? error.message : String(error)}`);
        return { frames: [], exemplars: [] };
      }
    }),
  );
  const interpolated = { interpolate: (text: string) => interpolate(text, context.values) };
  const frames = await lastValueFrom(
    transformDataFrame(
      (panel.transformations ?? []) as unknown as DataTransformerConfig[],
      answered.flatMap((one) => one.frames),
      interpolated,
    ),
  );
  return { frames, exemplars: answered.flatMap((one) => one.exemplars), problems };
}

async function answerTarget(
  target: Target,
  single: boolean,
  panel: Panel,
  widthPx: number,
  { range, scrapeInterval, values }: DataContext,
): Promise<Answered> {
  if (target.expr === undefined)
    throw new Error(`not a query of Prometheus but of ${String(target.datasource?.type)}`);
  const minStep = [target.interval, panel.interval].find(
    (interval) => interval !== undefined && interval !== '',
  );
  const intervals = intervalsFor(range, widthPx, scrapeInterval, minStep && interpolate(minStep, values));
  const expr = interpolate(target.expr, { ...values, ...intervalVariables(range, intervals) });
  const [fromMs, toMs] = [range.from.valueOf(), range.to.valueOf()];
  const answer =
    target.instant === true && target.range !== true
      ? await query(expr, toMs)
      : await queryRange(expr, fromMs, toMs, intervals.stepMs);
  const exemplars = target.exemplar === true ? await exemplarsOf(expr, fromMs, toMs, intervals.stepMs) : [];
  const { refId, legendFormat } = target;
  switch (target.format) {
    case 'table':
      return { frames: [tableFrame(answer, refId, single)].filter(({ length }) => length > 0), exemplars };
    case 'heatmap': {
      const frame = heatmapFrame(answer, { refId, stepMs: intervals.stepMs });
      return { frames: frame ? [frame] : [], exemplars };
    }
    default:
      return { frames: seriesFrames(answer, { refId, legendFormat, stepMs: intervals.stepMs }), exemplars };
  }
}

async function exemplarsOf(
  expr: string,
  fromMs: number,
  toMs: number,
  stepMs: number,
): Promise<ExemplarMark[]> {
  const series = await queryExemplars(expr, fromMs, toMs);
  return thinned(
    series.flatMap(({ exemplars }) =>
      exemplars.map(({ timestamp, value }) => ({ ms: timestamp * 1000, value: Number(value) })),
    ),
    stepMs,
  );
}
