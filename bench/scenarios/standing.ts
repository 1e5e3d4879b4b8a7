import type { Scenario } from '../scenario.js';

const once = { generations: 1, rounds: 1 };

export const loading: Scenario = {
  name: 'import',
  title: 'Importing',
  about:
    'The imports alone, in a process that has just started: the two peers `pg` and `@opentelemetry/api`; pgauge, which brings them; pgauge with pino and the AWS SDK loaded at once instead of when they are needed.',
  program: 'loading',
  contenders: ['peers', 'peers again', 'pgauge', 'all at once'],
  variants: [{}],
  measures: [
    { key: 'cpuMs', title: 'CPU, ms' },
    { key: 'wallMs', title: 'wall, ms' },
  ],
  full: { generations: 25, rounds: 1, size: {} },
  quick: { ...once, size: {} },
};

export const collection: Scenario = {
  name: 'collection',
  title: 'Reading the observables',
  about:
    'One collection, for each pool: our callback alone, and all that the SDK does with what it observes (26 numbers with their attributes for each pool).',
  program: 'collection',
  contenders: ['pgauge'],
  variants: [{ pools: 1 }, { pools: 10 }, { pools: 50 }, { pools: 200 }],
  measures: [
    { key: 'ownUs', title: 'our callback, µs a pool' },
    { key: 'collectUs', title: 'whole collection, µs a pool' },
  ],
  full: { generations: 2, rounds: 7, size: { collections: 300 } },
  quick: { variants: [{ pools: 10 }], ...once, size: { collections: 2 } },
};

export const heap: Scenario = {
  name: 'heap',
  title: 'Heap of an idle connection',
  about: 'What the heap grows by when 500 connections are opened, without TLS, after a full collection.',
  program: 'heap',
  contenders: ['raw', 'raw again', 'pgauge', 'pgauge metrics'],
  variants: [{ connections: 500 }],
  measures: [{ key: 'bytes', title: 'bytes a connection' }],
  full: { generations: 5, rounds: 1, size: {} },
  quick: { variants: [{ connections: 20 }], ...once, size: {} },
};
