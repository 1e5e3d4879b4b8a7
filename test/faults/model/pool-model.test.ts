import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canPipeline } from '../../../src/connection/driver.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { steps } from './steps.js';
import { TimerWatch } from './timer-watch.js';
import { World, type PoolShape } from './world.js';

/**
 * `MODEL_RUNS` sets the number of runs, however long they take; the default is half a minute's worth, at most these.
 */
const QUICK_RUNS = 60;
const QUICK_MS = 25_000;
const DAY_MS = 86_400_000;
const { MODEL_RUNS, MODEL_SEED, MODEL_PATH } = process.env;

const server = usePostgres();
const proxy = useProxy(server);

const shape: fc.Arbitrary<PoolShape> = fc.record({
  max: fc.integer({ min: 1, max: 4 }),
  min: fc.constantFrom(0, 0, 1),
  maxConnecting: fc.integer({ min: 1, max: 4 }),
  maxUses: fc.constantFrom(0, 0, 5),
  connectRetryMs: fc.constantFrom(0, 700, 60_000),
  maxPending: fc.constantFrom(0, 0, 3),
  hooks: fc.constantFrom(false, false, true),
  depth: canPipeline() ? fc.constantFrom(0, 0, 1, 2, 16) : fc.constant(0),
});

test(
  'a pool follows its model through random acquires, queries, pipelined queries, releases, faults, resize, reset and end',
  { timeout: DAY_MS },
  async () => {
    const seed = MODEL_SEED === undefined ? randomInt(2 ** 31) : Number(MODEL_SEED);
    console.log(`seed ${seed}: MODEL_SEED=${seed} MODEL_RUNS=${MODEL_RUNS ?? QUICK_RUNS} replays`);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.commands(
          [...steps.flatMap(({ arbitrary, weight = 1 }) => Array.from({ length: weight }, () => arbitrary))],
          { maxCommands: 45, size: 'max' },
        ),
        async (given, commands) => {
          runs += 1;
          const timers = new TimerWatch();
          const before = process.getActiveResourcesInfo();
          const world = await World.make(server(), proxy(), given);
          try {
            await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
            await world.finish();
            expect(timers.running, 'timers left').toEqual([]);
            let more: string[] = [];
            await until('nothing of the pool keeps the process alive', () => {
              more = beyond(before, process.getActiveResourcesInfo());
              return more.length === 0;
            }).catch(() => {
              throw new Error(`left: ${more.join(', ')}`);
            });
          } finally {
            timers.stop();
            world.abandon();
          }
        },
      ),
      {
        seed,
        numRuns: Number(MODEL_RUNS ?? QUICK_RUNS),
        // Do not shrink: the same steps may take another course, because timing cannot be replayed.
        endOnFailure: true,
        ...(MODEL_PATH !== undefined && { path: MODEL_PATH }),
        ...(MODEL_RUNS === undefined && { interruptAfterTimeLimit: QUICK_MS }),
      },
    );
    console.log(`${runs} runs`);
    expect(runs).toBeGreaterThan(0);
  },
);

/** The resources of which there are more now; immediates are ignored, since they come and go. */
function beyond(before: readonly string[], now: readonly string[]): string[] {
  const left = [...before];
  return now.filter((type) => {
    const at = left.indexOf(type);
    if (at >= 0) left.splice(at, 1);
    return at < 0 && type !== 'Immediate';
  });
}
