// pool.query at a fixed concurrency: CPU time of the client and wall time, for each query.
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';
import { spentOn } from './clock.js';

export const prepare: Prepare = async (contender, { concurrency = 1, max = 1 }, settings) => {
  const { queries = 0, warmUp = 0 } = settings.size;
  const pool = await openPool(contender, plainPool(settings, max));
  await fill(pool, max);
  const work = async (total: number): Promise<void> => {
    let left = total;
    const loop = async (): Promise<void> => {
      while (left-- > 0) await pool.query('select 1');
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
  };
  await work(warmUp);
  return {
    async run() {
      const { cpuMs, wallMs } = await spentOn(() => work(queries));
      return { cpuUs: (cpuMs * 1000) / queries, wallUs: (wallMs * 1000) / queries };
    },
    end: () => pool.end(),
  };
};
