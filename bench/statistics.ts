import { median, quantile } from 'simple-statistics';
import type { Sample, Variant } from './programs/program.js';
import type { Series } from './scenario.js';

/** The median and the quartiles of some numbers. */
export interface Spread {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

/** A summary of all samples of a contender for one measure. */
export interface Summary {
  readonly value: Spread;
  /** The ratios to the first contender in the same round; unset for the first itself. */
  readonly ratio?: Spread;
  /** The differences from the first contender in the same round. */
  readonly difference?: Spread;
}

/** Summarises one contender's samples; `first` are those of the contender it is compared with. */
export function summarise(
  samples: readonly Sample[],
  first: readonly Sample[],
  key: string,
): Summary | undefined {
  const values = samples.flatMap((sample) => sample[key] ?? []);
  if (values.length === 0) return undefined;
  const value = spreadOf(values);
  if (samples === first) return { value };
  const pairs = samples.flatMap((sample, round) => {
    const [mine, theirs] = [sample[key], first[round]?.[key]];
    return mine === undefined || theirs === undefined ? [] : [{ mine, theirs }];
  });
  if (pairs.length === 0) return { value };
  return {
    value,
    ratio: spreadOf(pairs.map(({ mine, theirs }) => mine / theirs)),
    difference: spreadOf(pairs.map(({ mine, theirs }) => mine - theirs)),
  };
}

/** The series of one contender and variant. */
export function seriesOf(all: readonly Series[], contender: string, variant: Variant): Series | undefined {
  return all.find(
    (series) => series.contender === contender && JSON.stringify(series.variant) === JSON.stringify(variant),
  );
}

function spreadOf(values: readonly number[]): Spread {
  const all = [...values];
  return { middle: median(all), low: quantile(all, 0.25), high: quantile(all, 0.75) };
}
