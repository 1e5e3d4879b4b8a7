// What connect() and release() of an idle connection allocate on the heap.
import { allocatedBy } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

export const prepare: Prepare = async (contender, { max = 1 }, settings) => {
  const { checkouts = 0, warmUp = 0 } = settings.size;
  const pool = await openPool(contender, plainPool(settings, max));
  await fill(pool, max);
  const work = async (total: number): Promise<void> => {
    for (let i = 0; i < total; i++) (await pool.connect()).release();
  };
  await work(warmUp);
  return {
    run: async () => ({ bytes: (await allocatedBy(() => work(checkouts), 'no collection')) / checkouts }),
    end: () => pool.end(),
  };
};
