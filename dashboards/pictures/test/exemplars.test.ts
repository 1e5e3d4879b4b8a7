import { expect, it } from 'vitest';
import { thinned } from '../page/data/exemplars.ts';

it('thinning keeps the highest of exemplars close together in a step, and those far from it', () => {
  const at = (ms: number, ...values: number[]) => values.map((value) => ({ ms, value }));
  const exemplars = [...at(1_000, 5, 5.1, 5.2, 0.1), ...at(6_000, 5, 5.3)];
  expect(new Set(thinned(exemplars, 5_000))).toEqual(new Set([...at(1_000, 5.2, 0.1), ...at(6_000, 5.3)]));
  expect(thinned([], 5_000)).toEqual([]);
});
