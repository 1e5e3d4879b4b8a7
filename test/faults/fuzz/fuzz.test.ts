import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { useCleanEnvironment } from '../../support/environment.js';
import { fuzz, TARGETS } from './run.js';

/** `npm run fuzz` runs more. */
const CASES = 3_000;
const LIMIT_MS = 1_200;

useCleanEnvironment();

test(
  'every fuzz target accepts or clearly refuses random input, exposes no secret and sends no unexpected byte',
  { timeout: 120_000 },
  async () => {
    const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
    console.log(`seed ${seed}: FUZZ_SEED=${seed} replays`);
    for (const make of TARGETS) {
      const { name, cases } = await fuzz(make, { cases: CASES, seed, limitMs: LIMIT_MS });
      expect(cases, name).toBeGreaterThan(0);
    }
  },
);
