import { performance, PerformanceObserver } from 'node:perf_hooks';

/** The time that a piece of work took. */
export interface Spent {
  /** Wall time in milliseconds. */
  readonly wallMs: number;
  /** CPU time of this process in milliseconds, user and system. */
  readonly cpuMs: number;
}

/** Runs `work` and returns the time it took. */
export async function spentOn(work: () => unknown): Promise<Spent> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

/** Collects as much garbage as possible; needs --expose-gc. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * The number of bytes by which `work` grew the heap; with `no collection` it throws if garbage was collected meanwhile,
 * because the number would be meaningless.
 */
export async function allocatedBy(work: () => Promise<void>, demand?: 'no collection'): Promise<number> {
  await collectGarbage();
  let collections = 0;
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
  observer.observe({ entryTypes: ['gc'] });
  const before = process.memoryUsage().heapUsed;
  await work();
  const grown = process.memoryUsage().heapUsed - before;
  // Entries arrive in the next turn of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 10));
  observer.disconnect();
  if (demand !== undefined && collections > 0)
    throw new Error(`${collections} collections fell into the count`);
  return grown;
}
