// Many acquirers in the queue of one connection: each is served in its turn; and, in another round, all give up.
import type pgModule from 'pg';
import { spentOn } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare } from './program.js';

type Abortable = (options: { signal: AbortSignal }) => Promise<pgModule.PoolClient>;

export const prepare: Prepare = async (contender, { waiters = 1 }, settings) => {
  const pool = await openPool(contender, plainPool(settings, 1));
  await fill(pool, 1);
  const { repeats: given = 1 } = settings.size;
  // As many acquires whatever the length of the queue.
  const repeats = Math.max(1, Math.round((given * 10_000) / waiters));

  const serveAll = async (): Promise<void> => {
    const holder = await pool.connect();
    const served = Array.from({ length: waiters }, () => pool.connect().then((client) => client.release()));
    holder.release();
    await Promise.all(served);
  };
  const giveUp = async (): Promise<void> => {
    const holder = await pool.connect();
    // One for each, and the last first: what is taken out of a queue need not be at its head.
    const controllers = Array.from({ length: waiters }, () => new AbortController());
    const waiting = controllers.map(({ signal }) =>
      (pool.connect as unknown as Abortable).call(pool, { signal }).catch(() => undefined),
    );
    for (const controller of controllers.reverse()) controller.abort(SIGNAL_REASON);
    await Promise.all(waiting);
    holder.release();
  };
  const measure = async (work: () => Promise<void>): Promise<number> => {
    const { cpuMs } = await spentOn(async () => {
      for (let i = 0; i < repeats; i++) await work();
    });
    return (cpuMs * 1000) / repeats / waiters;
  };
  const canAbort = contender.includes('pgauge');
  await measure(serveAll);
  if (canAbort) await measure(giveUp);
  return {
    async run() {
      return { servedUs: await measure(serveAll), ...(canAbort && { abortedUs: await measure(giveUp) }) };
    },
    end: () => pool.end(),
  };
};

/** Not an error of its own for each, whose stack would be most of what is measured. */
const SIGNAL_REASON = new Error('given up');
