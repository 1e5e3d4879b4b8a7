import { performance } from 'node:perf_hooks';

/** What a piece of work took. */
export interface Spent {
  /** Wall time in milliseconds. */
  readonly wallMs: number;
  /** CPU time of this process in milliseconds, user and system. */
  readonly cpuMs: number;
}

/** Runs `work` and says what it took. */
export async function spentOn(work: () => unknown): Promise<Spent> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

/** Collects garbage as far as it goes; the process was started with --expose-gc. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Bytes that `work` allocated on the heap; only true while no collection falls into it. */
export async function allocatedBy(work: () => Promise<void>): Promise<number> {
  await collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await work();
  return process.memoryUsage().heapUsed - before;
}
