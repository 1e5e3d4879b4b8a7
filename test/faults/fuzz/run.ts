import fc from 'fast-check';
import { afterConnects } from './after-connect.js';
import { beforeConnects } from './before-connect.js';
import { configs } from './config.js';
import { anyStrings, roundTrips } from './connection-strings.js';
import { tokens } from './tokens.js';
import { regions, roleCredentials } from './metadata.js';
import { optionObjects } from './options.js';
import { passwordFileBytes, passwordFiles } from './password-file.js';
import { longTexts, sqlTexts, statements } from './sql-texts.js';
import type { Target } from './target.js';

/** The minimum number of cases, however long they take: on a busy machine the first one may use up the time. */
const LEAST_CASES = 10;

/** Every target, each created when it is run. */
export const TARGETS: readonly (() => Target<never> | Promise<Target<never>>)[] = [
  () => configs as Target<never>,
  () => optionObjects as Target<never>,
  () => passwordFiles as Target<never>,
  () => passwordFileBytes() as Target<never>,
  () => roundTrips as Target<never>,
  () => anyStrings as Target<never>,
  async () => (await beforeConnects()) as Target<never>,
  async () => (await tokens()) as Target<never>,
  async () => (await afterConnects()) as Target<never>,
  async () => (await regions()) as Target<never>,
  async () => (await roleCredentials()) as Target<never>,
  () => sqlTexts as Target<never>,
  () => statements as Target<never>,
  () => longTexts as Target<never>,
];

/**
 * Tries a target's share of this many cases, or as many as fit into `limitMs`, but at least ten; rejects with the
 * smallest input that fails, and the seed and path that replay it.
 */
export async function fuzz(
  make: (typeof TARGETS)[number],
  {
    cases,
    seed,
    path,
    limitMs,
  }: { cases: number; seed: number; path?: string | undefined; limitMs?: number },
): Promise<{ readonly name: string; readonly cases: number }> {
  const target = await make();
  const numRuns = Math.ceil((cases * target.share) / 100);
  let tried = 0;
  const began = performance.now();
  const property = fc.asyncProperty(target.input, async (input) => {
    if (limitMs !== undefined && tried >= LEAST_CASES && performance.now() - began > limitMs) return;
    tried += 1;
    await target.attempt(input);
  });
  try {
    await fc.assert(property, {
      seed,
      numRuns,
      ...(path !== undefined && { path }),
    });
  } finally {
    await target.close?.();
  }
  return { name: target.name, cases: tried };
}
