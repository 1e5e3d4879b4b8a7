import {
  createDataFrame,
  FieldType,
  renderLegendFormat,
  type DataFrame,
  type PartialDataFrame,
} from '@grafana/data';
import type { Answer, Labels, Sample } from './prometheus.ts';

export interface Query {
  refId: string;
  legendFormat?: string | undefined;
  stepMs: number;
}

interface Series {
  labels: Labels;
  samples: Sample[];
}

/** Prometheus' answer as one frame per series, as Grafana's own data source returns it. */
export function seriesFrames(answer: Answer, query: Query): DataFrame[] {
  return seriesOf(answer).map(({ labels, samples }) => {
    const name = legend(labels, query.legendFormat);
    const frame: PartialDataFrame = {
      refId: query.refId,
      meta: { preferredVisualisationType: 'graph' },
      fields: [
        {
          name: 'Time',
          type: FieldType.time,
          config: answer.resultType === 'matrix' ? { interval: query.stepMs } : {},
          values: samples.map(([seconds]) => Math.round(seconds * 1000)),
        },
        {
          name: 'Value',
          type: FieldType.number,
          labels: withoutName(labels),
          config: name === undefined ? {} : { displayNameFromDS: name },
          values: samples.map(([, value]) => numberOf(value)),
        },
      ],
    };
    return createDataFrame(name === undefined ? frame : { ...frame, name });
  });
}

/** Prometheus' answer as one table: the time, a column per label, the value. */
export function tableFrame(answer: Answer, refId: string, single: boolean): DataFrame {
  const rows = seriesOf(answer).flatMap(({ labels, samples }) =>
    samples.map(([seconds, value]) => ({ labels, time: Math.round(seconds * 1000), value: numberOf(value) })),
  );
  const columns = [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))].sort();
  return createDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map(({ time }) => time) },
      ...columns.map((name) => ({
        name,
        type: FieldType.string,
        config: { filterable: true },
        values: rows.map(({ labels }) => labels[name] ?? ''),
      })),
      {
        name: single ? 'Value' : `Value #${refId}`,
        type: FieldType.number,
        values: rows.map(({ value }) => value),
      },
    ],
  });
}

/** Cumulative buckets as one field per bucket, with only the count between its edge and the one below. */
export function heatmapFrame(answer: Answer, query: Query): DataFrame | undefined {
  const buckets = seriesOf(answer)
    .filter(({ labels }) => labels['le'] !== undefined)
    .map(({ labels, samples }) => ({
      upperEdge: numberOf(labels['le'] ?? ''),
      counts: new Map(samples.map(([seconds, value]) => [Math.round(seconds * 1000), numberOf(value)])),
    }))
    .sort((left, right) => left.upperEdge - right.upperEdge);
  if (buckets.length === 0) return undefined;
  const times = [...new Set(buckets.flatMap(({ counts }) => [...counts.keys()]))].sort((a, b) => a - b);
  return createDataFrame({
    refId: query.refId,
    fields: [
      { name: 'Time', type: FieldType.time, config: { interval: query.stepMs }, values: times },
      ...buckets.map(({ upperEdge, counts }, index) => ({
        name: String(upperEdge),
        type: FieldType.number,
        labels: { le: String(upperEdge) },
        values: times.map((time) => {
          const own = counts.get(time);
          const below = index === 0 ? 0 : (buckets[index - 1]?.counts.get(time) ?? 0);
          return own === undefined ? null : Math.max(0, own - below);
        }),
      })),
    ],
  });
}

function seriesOf(answer: Answer): Series[] {
  switch (answer.resultType) {
    case 'matrix':
      return answer.result.map(({ metric, values = [] }) => ({ labels: metric, samples: values }));
    case 'vector':
      return answer.result.map(({ metric, value }) => ({ labels: metric, samples: value ? [value] : [] }));
    case 'scalar':
      return [{ labels: {}, samples: [answer.result] }];
  }
}

function legend(labels: Labels, format: string | undefined): string | undefined {
  return format === undefined || format === '' || format === '__auto'
    ? undefined
    : renderLegendFormat(format, labels);
}

function withoutName(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__'));
}

/** Prometheus writes numbers that JSON cannot represent as words. */
function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}
