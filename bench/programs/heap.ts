// Heap that an open connection takes while it is idle.
import { allocatedBy, collectGarbage } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

export const prepare: Prepare = async (contender, { connections = 1 }, settings) => {
  const pool = await openPool(contender, plainPool(settings, connections + 1));
  // One connection first, so that what is loaded or compiled with it is not counted.
  const first = await pool.connect();
  await first.query('select 1');
  return {
    async run() {
      const bytes = await allocatedBy(async () => {
        await fill(pool, connections);
        await collectGarbage();
      });
      // The next contender needs room on the server.
      first.release();
      await pool.end();
      return { bytes: bytes / connections };
    },
    end: () => Promise.resolve(),
  };
};
