import type { Scenario } from './scenario.js';

/** Separates a contender's words from the commit whose package it uses. */
const ON = ' @';

/** Splits the displayed name of a contender; `commit` is unset for the working tree. */
export function contenderOf(title: string): { readonly contender: string; readonly commit?: string } {
  const at = title.indexOf(ON);
  return at < 0
    ? { contender: title }
    : { contender: title.slice(0, at), commit: title.slice(at + ON.length) };
}

/**
 * For each contender that runs pgauge, a scenario that compares the working tree with a commit: the commit's package
 * comes first and is measured twice, so that the noise of these rounds is shown beside the difference.
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
