import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const LONGEST_PERIOD_MS = 10_000;
const SAMPLES_AT_LEAST = 24;
const MINUTE_MS = 60_000;

interface Sample {
  readonly atMs: number;
  readonly heapBytes: number;
}

/** Measures this process' heap and event loop while a load runs. */
export class Vitals {
  readonly #delay = monitorEventLoopDelay({ resolution: 5 });
  readonly #samples: Sample[] = [];
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(durationMs: number) {
    this.#timer = setInterval(
      () => this.#sample(),
      Math.min(LONGEST_PERIOD_MS, durationMs / SAMPLES_AT_LEAST),
    );
    this.#delay.enable();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#sample();
    this.#delay.disable();
  }

  /** Longest time the event loop was blocked, in milliseconds, not counting our own garbage collections. */
  get longestStallMs(): number {
    return this.#delay.max / 1e6;
  }

  /**
   * Heap in use after a garbage collection, in bytes: the median of the first stable minute and of the last; in a short
   * run, of its second and last quarters.
   */
  heap(): { readonly first: number; readonly last: number } {
    const end = this.#samples.at(-1)?.atMs ?? 0;
    const window = Math.min(MINUTE_MS, end / 4);
    const between = (from: number, to: number): number =>
      median(
        this.#samples.filter(({ atMs }) => atMs >= from && atMs <= to).map(({ heapBytes }) => heapBytes),
      );
    return { first: between(window, 2 * window), last: between(end - window, end) };
  }

  #sample(): void {
    // A collection blocks the loop, but is not caused by the load.
    this.#delay.disable();
    gc();
    this.#samples.push({
      atMs: performance.now() - this.#startedAt,
      heapBytes: process.memoryUsage().heapUsed,
    });
    this.#delay.enable();
  }
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** How many resources of each kind keep this process alive. */
export function activeResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

interface LibuvHandle {
  readonly type: string;
  readonly remoteEndpoint?: { readonly port?: number } | null;
}

/** TCP sockets of this process to these ports, including those that do not keep it alive. */
export function socketsTo(ports: readonly number[]): number {
  const { libuv } = process.report.getReport() as { libuv: readonly LibuvHandle[] };
  return libuv.filter(
    ({ type, remoteEndpoint }) => type === 'tcp' && ports.includes(remoteEndpoint?.port ?? 0),
  ).length;
}
