import type { Scenario } from '../scenario.js';

const once = { generations: 1, rounds: 1 };

export const storm: Scenario = {
  name: 'storm',
  title: 'All connections at once',
  about:
    '`connect()` for every connection of a new pool at once, TLS with verify-full. `raw scram` and `raw clear-text` have one root certificate and one password; the first logs in by SCRAM, which costs the client about a millisecond of CPU, the second sends it as it is within TLS. `bare sockets` is the same handshake and the same login as `raw clear-text` without a driver and a pool: the limit. The others have the real RDS bundle, and a fresh token for every connection, which is sent as it is within TLS: pgauge; `raw signer` with one Signer for all; `raw signer-each` with one for each connection. `direct` begins TLS without asking the server first. Every process has opened 500 connections before, so that what is loaded and fetched once is not counted. They take turns in three groups, so that none stands still for long.',
  program: 'storm',
  contenders: [
    'raw clear-text',
    'raw clear-text again',
    'raw scram',
    'bare sockets',
    'pgauge',
    'pgauge metrics',
    'pgauge metrics direct',
    'raw signer',
    'raw signer-each',
  ],
  apart: [
    ['raw scram', 'pgauge'],
    ['raw signer', 'raw signer-each'],
  ],
  variants: [{ connections: 100 }, { connections: 500 }],
  measures: [
    { key: 'wallMs', title: 'wall, ms' },
    { key: 'cpuMs', title: 'CPU, ms' },
  ],
  full: {
    generations: 2,
    rounds: ({ connections = 1 }) => (connections > 100 ? 3 : 8),
    size: { warmUp: 500 },
  },
  quick: { variants: [{ connections: 10 }], ...once, size: { warmUp: 0 } },
  environment: ({ awsKeys }) => awsKeys,
};

export const metadata: Scenario = {
  name: 'metadata',
  title: 'Calls to the metadata service, from cold',
  about:
    'The same storm in a process that has just started, with credentials of an instance role: how often the metadata service is asked.',
  program: 'storm',
  contenders: ['raw signer-each', 'raw signer', 'pgauge'],
  variants: [{ connections: 100 }, { connections: 500 }],
  measures: [
    { key: 'calls', title: 'calls' },
    { key: 'wallMs', title: 'wall, ms' },
  ],
  full: { generations: 2, rounds: 1, size: { warmUp: 0 } },
  quick: { variants: [{ connections: 10 }], ...once, size: { warmUp: 0 } },
  environment: ({ awsInstance }) => awsInstance,
  outside: (servers) => ({ calls: servers.metadataCalls() }),
};

export const token: Scenario = {
  name: 'token',
  title: 'One token',
  about:
    "What signing one token costs with a long-lived key: with one shared `Signer` of the SDK, with a new one for each token, and by the pool's own hook.",
  program: 'token',
  contenders: ['shared signer', 'shared signer again', 'pgauge', 'signer each'],
  variants: [{}],
  measures: [{ key: 'us', title: 'CPU, µs a token' }],
  full: { generations: 3, rounds: 7, size: { tokens: 5_000, warmUp: 5_000 } },
  quick: { ...once, size: { tokens: 50, warmUp: 10 } },
  environment: ({ awsKeys }) => awsKeys,
};

export const anotherPool: Scenario = {
  name: 'another-pool',
  title: 'Another pool with the same roots',
  about:
    'Making a pool with verify-full, the RDS bundle of 120 certificates and IAM tokens in a process that has such a pool already, without dialling. node-postgres parses the roots when it connects.',
  program: 'another-pool',
  contenders: ['pgauge', 'pgauge again'],
  variants: [{}],
  measures: [{ key: 'cpuMs', title: 'CPU, ms a pool' }],
  full: { generations: 3, rounds: 5, size: { pools: 20 } },
  quick: { ...once, size: { pools: 2 } },
  environment: ({ awsKeys }) => awsKeys,
};

export const firstAnswer: Scenario = {
  name: 'first-answer',
  title: 'From cold to the first answer',
  about:
    'A process that has loaded nothing yet imports what it needs, makes a pool, and has the answer to its first query; the set-ups are those of the storm. pgauge has its own logger, at the level silent, at which it does not load pino; at the level info it does, for the record of the new pool.',
  program: 'first-answer',
  contenders: ['raw scram', 'raw scram again', 'pgauge', 'pgauge metrics', 'raw signer', 'raw signer-each'],
  variants: [{}],
  measures: [
    { key: 'wallMs', title: 'wall, ms' },
    { key: 'cpuMs', title: 'CPU, ms' },
  ],
  full: { generations: 11, rounds: 1, size: {} },
  quick: { ...once, size: {} },
  environment: ({ awsKeys }) => ({ ...awsKeys, PGAUGE_LOG_LEVEL: 'silent' }),
};
