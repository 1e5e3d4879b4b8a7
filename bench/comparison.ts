import type { Scenario } from './scenario.js';

/** Between a contender's words and the commit whose package it runs on. */
const ON = ' @';

/** A contender as it is shown, taken apart; `commit` is unset for the working tree. */
export function contenderOf(title: string): { readonly contender: string; readonly commit?: string } {
  const at = title.indexOf(ON);
  return at < 0
    ? { contender: title }
    : { contender: title.slice(0, at), commit: title.slice(at + ON.length) };
}

/**
 * For each contender that runs pgauge, a scenario that compares the working tree with a commit: the commit's package comes first
 * and once more, so that the noise of these rounds stands beside the difference.
 */
export function comparison(scenarios: readonly Scenario[], commit: string): Scenario[] {
  return scenarios.flatMap((scenario) =>
    scenario.contenders.filter(runsPgauge).map((contender) => ({
      ...scenario,
      title: `${scenario.title}: ${contender}`,
      contenders: [`${contender}${ON}${commit}`, `${contender} again${ON}${commit}`, contender],
    })),
  );
}

function runsPgauge(contender: string): boolean {
  const words = contender.split(' ');
  return !words.includes('again') && (words.includes('pgauge') || words.includes('observer'));
}
