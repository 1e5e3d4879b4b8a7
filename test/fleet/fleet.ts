import { simulateTime } from './clock.js';
import type { MakePool, SimulatedPool } from './pools.js';
import { SimulatedServer, type ServerLimits } from './server.js';

/** The limits of the simulated server. */
export const LIMITS: ServerLimits = { loginsPerSecond: 200, maxConnections: 5_000 };

const CALLERS = 5;
const HOLD_MS = 20;
const THINK_MS = 500;
/** How long a caller waits before it retries a failed acquire. */
const RETRY_MS = 100;
const WARM_MS = 30_000;
const OUTAGE_MS = 30_000;
/** When to give up on a fleet that does not recover, after the server's return. */
export const GIVE_UP_MS = 120_000;

/** The cost of an outage for a fleet. */
export interface FleetCost {
  /** Failed acquires per caller. */
  readonly failedPerCaller: number;
  /** Dials per second during the outage, on average. */
  readonly dialsInOutage: number;
  /** The most dials in one second after the server's return. */
  readonly mostDials: number;
  /** From the server's return until 99 % of the callers were served, in milliseconds; infinite if they never were. */
  readonly servedAfterMs: number;
}

/** Connections of each instance: at most 10, and in total no more than the server accepts. */
export const sizeFor = (instances: number): number =>
  Math.max(1, Math.min(10, Math.floor((0.9 * LIMITS.maxConnections) / instances)));

/** Simulates an outage of 30 s for this many instances, each with five callers. */
export async function simulateOutage(make: MakePool, instances: number, seed: number): Promise<FleetCost> {
  using time = simulateTime(seed);
  const server = new SimulatedServer(LIMITS);
  const callers: Caller[] = [];
  for (let n = 0; n < instances; n += 1) {
    const pool = make(server, sizeFor(instances));
    for (let caller = 0; caller < CALLERS; caller += 1) callers.push(new Caller(pool));
  }
  await time.run(() => time.now() < WARM_MS);
  const before = callers.reduce((sum, { failed }) => sum + failed, 0);
  server.stop();
  const stoppedAt = time.now();
  await time.run(() => time.now() < stoppedAt + OUTAGE_MS);
  server.start();
  const returnedAt = time.now();
  const enough = Math.ceil(0.99 * callers.length);
  const served = (): number => callers.filter(({ servedAt }) => servedAt >= returnedAt).length;
  // Counting all callers each millisecond would take longer than the simulation.
  await time.run(() => time.now() % 10 !== 0 || (served() < enough && time.now() < returnedAt + GIVE_UP_MS));
  const servedAfterMs = served() < enough ? Infinity : time.now() - returnedAt;
  for (const caller of callers) caller.stop();

  const failed = callers.reduce((sum, caller) => sum + caller.failed, 0) - before;
  const [from, to] = [stoppedAt / 1_000, returnedAt / 1_000];
  const inOutage = server.dials.slice(from, to).reduce((sum, count) => sum + count, 0);
  return {
    failedPerCaller: failed / callers.length,
    dialsInOutage: inOutage / (OUTAGE_MS / 1_000),
    mostDials: Math.max(0, ...server.dials.slice(to)),
    servedAfterMs,
  };
}

/** Acquires a connection, holds it, thinks, and repeats. */
class Caller {
  failed = 0;
  servedAt = -1;
  readonly #pool: SimulatedPool;
  #stopped = false;

  constructor(pool: SimulatedPool) {
    this.#pool = pool;
    this.#again(Math.random() * THINK_MS);
  }

  stop(): void {
    this.#stopped = true;
  }

  #again(afterMs: number): void {
    if (!this.#stopped) setTimeout(this.#ask, afterMs);
  }

  readonly #ask = (): void => {
    this.#pool.acquire(
      (release) => {
        this.servedAt = performance.now();
        setTimeout(() => {
          release();
          this.#again(THINK_MS);
        }, HOLD_MS);
      },
      () => {
        this.failed += 1;
        this.#again(RETRY_MS);
      },
    );
  };
}
