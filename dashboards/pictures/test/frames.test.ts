import { FieldType } from '@grafana/data';
import { describe, expect, it } from 'vitest';
import { heatmapFrame, seriesFrames, tableFrame } from '../page/data/frames.ts';
import type { Answer } from '../page/data/prometheus.ts';

const values = (
  frame: { fields: { name: string; values: unknown[] }[] } | undefined,
): Record<string, unknown[]> =>
  Object.fromEntries((frame?.fields ?? []).map((field) => [field.name, field.values]));

describe('time series in a picture', () => {
  const answer: Answer = {
    resultType: 'matrix',
    result: [
      {
        metric: { __name__: 'up', instance: 'a' },
        values: [
          [10, '1'],
          [40, 'NaN'],
          [50, '+Inf'],
        ],
      },
    ],
  };

  it('keep their gaps, and the step that defines a gap', () => {
    const [frame] = seriesFrames(answer, { refId: 'A', stepMs: 10_000 });
    expect(values(frame)).toEqual({ Time: [10_000, 40_000, 50_000], Value: [1, NaN, Infinity] });
    expect(frame?.fields[0]?.config.interval).toBe(10_000);
    expect(frame?.fields[1]?.labels).toEqual({ instance: 'a' });
  });

  it('are named by the legend format', () => {
    const [frame] = seriesFrames(answer, { refId: 'A', stepMs: 10_000, legendFormat: 'on {{instance}}' });
    expect(frame?.fields[1]?.config.displayNameFromDS).toBe('on a');
  });
});

describe('a table in a picture', () => {
  const answer: Answer = {
    resultType: 'vector',
    result: [
      { metric: { instance: 'a' }, value: [10, '1'] },
      { metric: { instance: 'b', pool: 'p' }, value: [10, '2'] },
    ],
  };

  it('has a column for every label, empty for series without it', () => {
    expect(values(tableFrame(answer, 'A', true))).toEqual({
      Time: [10_000, 10_000],
      instance: ['a', 'b'],
      pool: ['', 'p'],
      Value: [1, 2],
    });
  });

  it('names its value column after the query if there are several', () => {
    expect(tableFrame(answer, 'B', false).fields.at(-1)?.name).toBe('Value #B');
  });
});

describe('a heatmap in a picture', () => {
  it('sorts buckets by their upper edge and subtracts the bucket below from each', () => {
    const bucket = (le: string, ...counts: string[]) => ({
      metric: { le },
      values: counts.map((count, index): [number, string] => [10 * (index + 1), count]),
    });
    const answer: Answer = {
      resultType: 'matrix',
      result: [bucket('+Inf', '5', '6'), bucket('0.1', '1', '2'), bucket('10', '4'), bucket('0.5', '4', '4')],
    };
    const frame = heatmapFrame(answer, { refId: 'A', stepMs: 10_000 });
    expect(values(frame)).toEqual({
      Time: [10_000, 20_000],
      '0.1': [1, 2],
      '0.5': [3, 2],
      '10': [0, null],
      Infinity: [1, 6],
    });
    expect(frame?.fields[1]?.type).toBe(FieldType.number);
  });

  it('of an empty result is undefined', () => {
    expect(
      heatmapFrame({ resultType: 'matrix', result: [] }, { refId: 'A', stepMs: 10_000 }),
    ).toBeUndefined();
  });
});
