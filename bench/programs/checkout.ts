// connect() and release() of an idle connection.
import { spentOn } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

export const prepare: Prepare = async (contender, { max = 1, held = 0 }, settings) => {
  const { checkouts = 0, warmUp = 0 } = settings.size;
  const pool = await openPool(contender, plainPool(settings, max));
  await fill(pool, max);
  const holding = await Promise.all(Array.from({ length: held }, () => pool.connect()));
  const work = async (total: number): Promise<void> => {
    for (let i = 0; i < total; i++) (await pool.connect()).release();
  };
  await work(warmUp);
  return {
    async run() {
      const { cpuMs } = await spentOn(() => work(checkouts));
      return { ns: (cpuMs * 1e6) / checkouts };
    },
    async end() {
      for (const client of holding) client.release();
      await pool.end();
    },
  };
};
