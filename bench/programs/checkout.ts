// connect() and release() of an idle connection.
import { spentOn } from './clock.js';
import { openPool } from './open-pool.js';
import { checkOut, fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

export const prepare: Prepare = async (contender, { max = 1, held = 0 }, settings) => {
  const { checkouts = 0, warmUp = 0 } = settings.size;
  const pool = await openPool(contender, plainPool(settings, max));
  await fill(pool, max);
  const holding = await Promise.all(Array.from({ length: held }, () => pool.connect()));
  await checkOut(pool, warmUp);
  return {
    async run() {
      const { cpuMs } = await spentOn(() => checkOut(pool, checkouts));
      return { ns: (cpuMs * 1e6) / checkouts };
    },
    async end() {
      for (const client of holding) client.release();
      await pool.end();
    },
  };
};
