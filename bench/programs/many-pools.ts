// Checkouts that rotate through many pools of one connection each.
import { spentOn } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

export const prepare: Prepare = async (contender, { pools = 1 }, settings) => {
  const { checkouts = 0, warmUp = 0 } = settings.size;
  const opened = [await openPool(contender, plainPool(settings, 1))];
  while (opened.length < pools) opened.push(await openPool(contender, plainPool(settings, 1)));
  for (const pool of opened) await fill(pool, 1);
  const work = async (total: number): Promise<void> => {
    for (let done = 0; done < total; done += opened.length) {
      for (const pool of opened) (await pool.connect()).release();
    }
  };
  await work(warmUp);
  return {
    async run() {
      const { cpuMs } = await spentOn(() => work(checkouts));
      const done = Math.ceil(checkouts / opened.length) * opened.length;
      return { ns: (cpuMs * 1e6) / done };
    },
    async end() {
      await Promise.all(opened.map((pool) => pool.end()));
    },
  };
};
