export interface ExemplarMark {
  ms: number;
  value: number;
}

/** The highest exemplar of each step, and lower ones that are more than two standard deviations (of all) apart. */
export function thinned(exemplars: ExemplarMark[], stepMs: number): ExemplarMark[] {
  const mean = exemplars.reduce((sum, { value }) => sum + value, 0) / exemplars.length;
  const variance = exemplars.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / exemplars.length;
  const apart = 2 * Math.sqrt(variance);
  const kept = new Map<number, ExemplarMark[]>();
  for (const exemplar of exemplars.toSorted((left, right) => right.value - left.value)) {
    const step = Math.floor(exemplar.ms / stepMs);
    const sameStep = kept.get(step) ?? [];
    const above = sameStep.at(-1);
    if (above === undefined || above.value - exemplar.value > apart) kept.set(step, [...sameStep, exemplar]);
  }
  return [...kept.values()].flat();
}
