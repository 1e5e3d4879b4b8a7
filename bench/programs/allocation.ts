// The heap that connect() and release() of an idle connection allocate.
import { allocatedBy } from './clock.js';
import { openPool } from './open-pool.js';
import { checkOut, fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

export const prepare: Prepare = async (contender, { max = 1 }, settings) => {
  const { checkouts = 0, warmUp = 0 } = settings.size;
  const pool = await openPool(contender, plainPool(settings, max));
  await fill(pool, max);
  await checkOut(pool, warmUp);
  return {
    run: async () => ({
      bytes: (await allocatedBy(() => checkOut(pool, checkouts), 'no collection')) / checkouts,
    }),
    end: () => pool.end(),
  };
};
