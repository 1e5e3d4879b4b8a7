import { describe, expect, it } from 'vitest';
import { marksOf } from '../page/data/annotations.ts';

describe('annotations in a picture', () => {
  it('join neighbouring samples into a region that ends at a gap or a zero', () => {
    const values = [10, 20, 40, 50, 60].map((second): [number, string] => [
      second,
      second === 50 ? '0' : '1',
    ]);
    const answer = { resultType: 'matrix' as const, result: [{ metric: { alertname: 'Slow' }, values }] };
    const marks = marksOf(answer, 10_000, 'red', '{{alertname}}!');
    expect(marks.map(({ fromMs, toMs, title }) => [fromMs, toMs, title])).toEqual([
      [10_000, 20_000, 'Slow!'],
      [40_000, 40_000, 'Slow!'],
      [60_000, 60_000, 'Slow!'],
    ]);
  });
});
