import { describe, expect, it } from 'vitest';
import { differenceText } from '../../../src/doctor/clock.js';

describe('the difference of two clocks', () => {
  it.each([
    [300, 'agrees with'],
    [-90_000, 'is 90 s behind'],
    [1_200_000, 'is 20 min ahead of'],
  ])('%i ms: %s', (ms, text) => {
    expect(differenceText(ms)).toBe(text);
  });
});
