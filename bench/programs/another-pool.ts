// Creating another pool with the same root certificates as an existing one, without dialling.
import { spentOn } from './clock.js';
import { openPool } from './open-pool.js';
import type { AnyPool } from './program.js';
import type { Prepare } from './program.js';
import { stormPool } from './storm.js';

export const prepare: Prepare = async (contender, _variant, settings) => {
  const { pools = 1 } = settings.size;
  const recipe = stormPool(contender, settings, 1);
  const opened = [await openPool(contender, recipe)];
  return {
    async run() {
      const made: AnyPool[] = [];
      const { cpuMs } = await spentOn(async () => {
        while (made.length < pools) made.push(await openPool(contender, recipe));
      });
      opened.push(...made);
      return { cpuMs: cpuMs / pools };
    },
    async end() {
      await Promise.all(opened.map((pool) => pool.end()));
    },
  };
};
