// Queries on two pools of one process that take turns, one without and one with telemetry of queries: what that adds.
import { createRequire } from 'node:module';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare, Sample } from './program.js';
import { queryLoad } from './query-load.js';

/** The words of a contender that only its second pool has. */
const ADDED = ['instrumented', 'queries'];

const require = createRequire(import.meta.url);

export const prepare: Prepare = async (contender, { concurrency = 1, max = 1 }, settings) => {
  const load = async (kind: string) => {
    const pool = await openPool(kind, plainPool(settings, max));
    await fill(pool, max);
    const run = await queryLoad(() => pool.query('select 1'), concurrency, settings);
    return { run, end: () => pool.end() };
  };
  const words = contender.split(' ');
  const without = await load(words.filter((word) => !ADDED.includes(word)).join(' '));
  if (words.includes('instrumented')) forgetDriver();
  const measured = await load(contender);
  let turns = 0;
  return {
    run: async () => {
      const inTurn = turns++ % 2 === 0 ? [without, measured] : [measured, without];
      const spent = new Map<unknown, Sample>();
      for (const pool of inTurn) spent.set(pool, await pool.run());
      const { cpuUs = NaN, ...others } = spent.get(measured) ?? {};
      return { cpuUs, ...others, addedUs: cpuUs - (spent.get(without)?.['cpuUs'] ?? NaN) };
    },
    end: async () => {
      await Promise.all([without.end(), measured.end()]);
    },
  };
};

/** The driver is loaded again for the second pool: what instruments it must not reach the first. */
function forgetDriver(): void {
  for (const path of Object.keys(require.cache))
    if (/node_modules\/pg(-pool)?\//.test(path)) Reflect.deleteProperty(require.cache, path);
}
