// The heap that an idle connection uses.
import { allocatedBy, collectGarbage } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

/** Connections opened beforehand, so that code loaded or compiled for the first ones is not counted. */
const WARM_UP = 50;

export const prepare: Prepare = async (contender, { connections = 1 }, settings) => {
  const pool = await openPool(contender, plainPool(settings, WARM_UP + connections));
  const first = await Promise.all(Array.from({ length: WARM_UP }, () => pool.connect()));
  for (const client of first) await client.query('select 1');
  return {
    async run() {
      const bytes = await allocatedBy(async () => {
        await fill(pool, connections);
        await collectGarbage();
      });
      // The next contender needs the server's connections.
      for (const client of first) client.release();
      await pool.end();
      return { bytes: bytes / connections };
    },
    end: () => Promise.resolve(),
  };
};
