// pool.query at a fixed concurrency: CPU time of the client and wall time per query.
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';
import { queryLoad } from './query-load.js';

export const prepare: Prepare = async (contender, { concurrency = 1, max = 1 }, settings) => {
  const pool = await openPool(contender, plainPool(settings, max));
  await fill(pool, max);
  return {
    run: await queryLoad(() => pool.query('select 1'), concurrency, settings),
    end: () => pool.end(),
  };
};
