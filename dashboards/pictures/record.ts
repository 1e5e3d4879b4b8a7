import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startStack, type Stack } from '../../test/stack/stack.ts';
import { drawPictures } from './draw-pictures.ts';
import { readOptions } from './options.ts';

// Three times as fast as the stack of docker compose: exports and scrapes every 5 s instead of 15 s, and alerts wait a
// third of their time.
const FACTOR = 3;

const calm = { thinkMs: 60, queryMs: 8, discard: 0, failing: 0.01, timingOut: 0.003, aborting: 0.003 };

interface Step {
  name: string;
  seconds: number;
  play: (stack: Stack) => Promise<unknown>;
}

/** Long enough for every application to log in again, and short enough to expire while the fetches fail. */
const LAST_CREDENTIALS_S = 45;

// Long enough for a first connection on a busy machine.
const everyApp = { maxLifetimeS: 20, acquireTimeoutS: 20 };
const restarted = { ...everyApp, instance: 'app-2', pool: 'orders', clients: 3 };

const story: Step[] = [
  { name: 'calm', seconds: 150, play: () => Promise.resolve() },
  { name: 'pool exhausted', seconds: 90, play: ({ app }) => app.load({ clients: 40, queryMs: 80 }) },
  { name: 'calm', seconds: 60, play: ({ app }) => app.load({ clients: 4, ...calm }) },
  { name: 'slow tokens', seconds: 30, play: slowTokens },
  { name: 'slow tokens', seconds: 30, play: slowTokens },
  { name: 'calm', seconds: 60, play: ({ faults }) => faults.end() },
  {
    name: 'logins rejected',
    seconds: 25,
    play: async ({ app, faults }) => {
      faults.rejectLogins(true);
      await app.load({ discard: 0.05 });
    },
  },
  {
    name: 'calm',
    seconds: 60,
    play: async ({ app, faults }) => {
      await faults.end();
      await app.load(calm);
    },
  },
  { name: 'the last credentials', seconds: 30, play: lastCredentials },
  { name: 'no credentials', seconds: 60, play: noCredentials },
  { name: 'calm', seconds: 60, play: ({ faults }) => faults.end() },
  { name: 'one application gone', seconds: 15, play: ({ apps }) => Promise.resolve(apps[1]?.stop()) },
  {
    name: 'and back',
    seconds: 120,
    play: async (stack) => {
      const app = await stack.startApp(restarted);
      await app.load(calm);
    },
  },
];

/** Makes every application's next login fetch new keys, slowly. */
function slowTokens({ faults }: Stack): Promise<void> {
  faults.fetchTakes(2_500);
  faults.credentialsEndIn(3_600);
  return Promise.resolve();
}

function lastCredentials({ faults }: Stack): Promise<void> {
  faults.credentialsEndIn(LAST_CREDENTIALS_S);
  return Promise.resolve();
}

function noCredentials({ faults }: Stack): Promise<void> {
  faults.fetchFails(true);
  return Promise.resolve();
}

const { values } = parseArgs({
  options: { out: { type: 'string' }, keep: { type: 'boolean', default: false } },
});

await using stack = await startStack({
  factor: FACTOR,
  app: { ...everyApp, instance: 'app-1', pool: 'orders', clients: 4 },
});
await stack.startApp(restarted);
await stack.startApp({ ...everyApp, instance: 'app-3', pool: 'reports', maxConns: 4, clients: 2 });
for (const app of stack.apps) await app.load(calm);
// More queries at a time than connections, so that they share them.
const search = await stack.startApp({
  ...{ ...everyApp, instance: 'app-4', pool: 'search' },
  ...{ maxConns: 2, clients: 12, pipelining: 8 },
});
await search.load({ thinkMs: 15, queryMs: 8, failing: 0.01 });
console.log(`recording in ${stack.prometheus.url}`);
const startedAt = new Date();
for (const { name, seconds, play } of story) {
  console.log(`${new Date().toISOString()} ${name}`);
  await play(stack);
  await sleep(seconds * 1_000);
}
await drawPictures(
  readOptions([
    ...['--prometheus', stack.prometheus.url, '--scrape-interval', '5s'],
    ...['--from', startedAt.toISOString(), '--to', new Date().toISOString()],
    ...['--row', 'pgauge-pool=Saturation'],
    ...(values.out === undefined ? [] : ['--out', values.out]),
  ]),
);
if (values.keep) {
  console.log(`Prometheus stays at ${stack.prometheus.url} until this is interrupted.`);
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
}
