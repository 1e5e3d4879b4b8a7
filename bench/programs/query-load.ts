// Queries at a fixed concurrency: CPU time of the client and wall time per query.
import { spentOn } from './clock.js';
import type { Settings, Task } from './program.js';

/** Warms up `query` and returns the function that measures it, with `concurrency` queries at a time. */
export async function queryLoad(
  query: () => Promise<unknown>,
  concurrency: number,
  { size }: Settings,
): Promise<Task['run']> {
  const { queries = 0, warmUp = 0 } = size;
  const work = async (total: number): Promise<void> => {
    let left = total;
    const loop = async (): Promise<void> => {
      while (left-- > 0) await query();
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
  };
  await work(warmUp);
  return async () => {
    const { cpuMs, wallMs } = await spentOn(() => work(queries));
    return { cpuUs: (cpuMs * 1000) / queries, wallUs: (wallMs * 1000) / queries };
  };
}
