// Heap that an open connection takes while it is idle.
import { allocatedBy, collectGarbage } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

/** Opened before, so that what is loaded, compiled or set up with the first ones is not counted. */
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
      // The next contender needs room on the server.
      for (const client of first) client.release();
      await pool.end();
      return { bytes: bytes / connections };
    },
    end: () => Promise.resolve(),
  };
};
