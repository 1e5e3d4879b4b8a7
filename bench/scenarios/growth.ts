import type { Scenario } from '../scenario.js';

const ns = [{ key: 'ns', title: 'CPU, ns a checkout' }];
const contenders = ['raw', 'raw again', 'pgauge'];
const full = { generations: 2, rounds: 5, size: { checkouts: 100_000, warmUp: 100_000 } };
const quick = { generations: 1, rounds: 1, size: { checkouts: 1_000, warmUp: 500 } };

export const poolSize: Scenario = {
  name: 'pool-size',
  title: 'Checkouts of larger pools',
  about: 'The checkout above, with all connections idle, and with all but one held by others.',
  program: 'checkout',
  contenders,
  variants: [
    { max: 10, held: 0 },
    { max: 100, held: 0 },
    { max: 500, held: 0 },
    { max: 10, held: 9 },
    { max: 100, held: 99 },
    { max: 500, held: 499 },
  ],
  measures: ns,
  full,
  quick: { ...quick, variants: [{ max: 10, held: 9 }] },
};

export const manyPools: Scenario = {
  name: 'many-pools',
  title: 'Checkouts of many pools',
  about: 'Checkouts that go round as many pools of one connection each.',
  program: 'many-pools',
  contenders,
  variants: [{ pools: 1 }, { pools: 10 }, { pools: 50 }, { pools: 200 }],
  measures: ns,
  full,
  quick: { ...quick, variants: [{ pools: 10 }] },
};

export const waiters: Scenario = {
  name: 'waiters',
  title: 'Long queues',
  about:
    'As many acquires at once on one connection: each is served in its turn and releases; or all give up, by one signal, or each by one of its own, the last first, which is mostly what an `AbortSignal` takes. What gives up is counted from the first abort to the last rejection.',
  program: 'waiters',
  contenders,
  variants: [{ waiters: 100 }, { waiters: 1_000 }, { waiters: 10_000 }],
  measures: [
    { key: 'servedUs', title: 'served, CPU, µs each' },
    { key: 'abortedUs', title: 'given up at once, CPU, µs each' },
    { key: 'ownSignalUs', title: 'given up one by one, CPU, µs each' },
  ],
  full: { generations: 2, rounds: 5, size: { repeats: 4 } },
  quick: { variants: [{ waiters: 100 }], generations: 1, rounds: 1, size: { repeats: 0 } },
};
