// From a process with nothing loaded to the first answer.
import { spentOn } from './clock.js';
import type { Prepare } from './program.js';

export const prepare: Prepare = (contender, _variant, settings) =>
  Promise.resolve({
    async run() {
      const { cpuMs, wallMs } = await spentOn(async () => {
        const { openPool } = await import('./open-pool.js');
        const { stormPool } = await import('./storm.js');
        const pool = await openPool(contender, stormPool(contender, settings, 1, true));
        await pool.query('select 1');
        void pool.end();
      });
      return { cpuMs, wallMs };
    },
    end: () => Promise.resolve(),
  });
