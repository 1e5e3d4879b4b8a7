import { dateTime } from '@grafana/data';
import { describe, expect, it } from 'vitest';
import { intervalsFor, intervalVariables } from '../page/data/intervals.ts';

const last = (minutes: number) => {
  const [from, to] = [dateTime(0), dateTime(minutes * 60_000)];
  return { from, to, raw: { from, to } };
};

describe('intervals in a picture', () => {
  it('are never shorter than the scrape interval, and the rate interval is four times it', () => {
    expect(intervalsFor(last(15), 800, '15s')).toEqual({ stepMs: 15_000, rateIntervalMs: 60_000 });
  });

  it('grow with the range', () => {
    expect(intervalsFor(last(24 * 60), 800, '15s')).toEqual({ stepMs: 120_000, rateIntervalMs: 135_000 });
  });

  it("are at least the panel's minimum", () => {
    expect(intervalsFor(last(15), 800, '15s', '1m').stepMs).toBe(60_000);
  });

  it('are written in PromQL notation', () => {
    const range = last(15);
    const variables = intervalVariables(range, intervalsFor(range, 800, '15s'));
    expect(variables).toMatchObject({
      __interval: '15s',
      __rate_interval: '1m',
      __range: '900s',
      __range_s: '900',
    });
  });
});
