// Many acquirers queue for one connection: each is served in turn, and in another round all give up.
import type pgModule from 'pg';
import { spentOn } from './clock.js';
import { openPool } from './open-pool.js';
import { fill, plainPool } from './plain-pool.js';
import type { Prepare, Sample } from './program.js';

type Abortable = (options: { signal: AbortSignal | undefined }) => Promise<pgModule.PoolClient>;

export const prepare: Prepare = async (contender, { waiters = 1 }, settings) => {
  const pool = await openPool(contender, plainPool(settings, 1));
  await fill(pool, 1);
  const { repeats: given = 1 } = settings.size;
  // The same number of acquires for every queue length.
  const repeats = Math.max(1, Math.round((given * 10_000) / waiters));

  const serveAll = async (): Promise<void> => {
    const holder = await pool.connect();
    const served = Array.from({ length: waiters }, () => pool.connect().then((client) => client.release()));
    holder.release();
    await Promise.all(served);
  };
  /** CPU time from the first abort to the last rejection, with one signal each (aborted in reverse) or one for all. */
  const giveUp = async (signals: number): Promise<number> => {
    const holder = await pool.connect();
    const controllers = Array.from({ length: signals }, () => new AbortController());
    const waiting = Array.from({ length: waiters }, (_, i) => {
      const signal = controllers[i % signals]?.signal;
      return (pool.connect as unknown as Abortable).call(pool, { signal }).catch(() => undefined);
    });
    const { cpuMs } = await spentOn(async () => {
      for (const controller of controllers.reverse()) controller.abort(SIGNAL_REASON);
      await Promise.all(waiting);
    });
    holder.release();
    return cpuMs;
  };
  const measure = async (cpuOf: () => Promise<number>): Promise<number> => {
    let cpuMs = 0;
    for (let i = 0; i < repeats; i++) cpuMs += await cpuOf();
    return (cpuMs * 1000) / repeats / waiters;
  };
  const canAbort = contender.includes('pgauge');
  const run = async (): Promise<Sample> => ({
    servedUs: await measure(async () => (await spentOn(serveAll)).cpuMs),
    ...(canAbort && {
      abortedUs: await measure(() => giveUp(1)),
      ownSignalUs: await measure(() => giveUp(waiters)),
    }),
  });
  await run();
  return { run, end: () => pool.end() };
};

/** Shared, because capturing a stack for each error would dominate the measurement. */
const SIGNAL_REASON = new Error('given up');
