import { install } from '@sinonjs/fake-timers';

/** The time of a simulation: it stands still until it is advanced. */
export interface SimulatedTime extends Disposable {
  /** Milliseconds since the start. */
  now(): number;
  /** Advances a millisecond at a time for as long as `unfinished`. */
  run(unfinished: () => boolean): Promise<void>;
}

/** Replaces the timers, clocks and random numbers of this process until it is disposed of. */
export function simulateTime(seed: number): SimulatedTime {
  const realTurn = setImmediate;
  const realRandom = Math.random;
  const clock = install({
    now: 0,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  });
  Math.random = randomNumbers(seed);
  return {
    now: () => clock.now,
    async run(unfinished) {
      while (unfinished()) {
        clock.tick(1);
        // Let promises and `nextTick` run between two milliseconds.
        await new Promise((resolve) => realTurn(resolve));
      }
    },
    [Symbol.dispose]() {
      clock.uninstall();
      Math.random = realRandom;
    },
  };
}

/** The linear congruential generator of Numerical Recipes: good enough for jitter, and it makes a run repeatable. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
