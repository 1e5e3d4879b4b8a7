import dns from 'node:dns';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { PoolClient } from 'pg';
import type { Config, InstrumentedPool, PoolOptions } from '../../../../src/index.js';
import { RecordingLogger } from '../../../support/logger.js';
import { childPool, say } from '../../../support/scripts/child-pool.js';

// Blocks the event loop at the given moments, for as long as the parent sets, and prints the outcome of each.
const stallMs = Number(process.argv[2]);
/** Limits that end within the stall, if that leaves enough time on a busy machine; otherwise the defaults. */
const limitMs = stallMs < 1_000 ? undefined : Math.round(stallMs * 0.75);
const names = process.argv.slice(3);
let current = '';

/** Sleeps without computing, because many of these processes share a machine; or lets the parent stop the process. */
const stall = (): void => {
  if (process.env['STOPPED'] === undefined)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
  else say(`stop me: "${current}"`);
};

type Step = 'connect' | 'requestSsl' | 'startup' | 'sendSASLInitialResponseMessage' | 'cancel';

/** Stalls once, right after the driver has taken the step. */
function stallAfter(step: Step): void {
  const prototype = (
    pg as unknown as { Connection: { prototype: Record<string, (...a: unknown[]) => unknown> } }
  ).Connection.prototype;
  const original = prototype[step];
  if (original === undefined) throw new Error(`the driver has no ${step}`);
  prototype[step] = function (...args) {
    prototype[step] = original;
    const result = original.apply(this, args);
    stall();
    return result;
  };
}

interface Given {
  readonly pool: InstrumentedPool;
  readonly log: RecordingLogger;
}

/** One scene, whose result is printed; the parent ends a scene that waits for ever. */
type Scene = {
  config?: Partial<Config>;
  options?: PoolOptions;
  max?: number;
  run: (given: Given) => Promise<unknown>;
};

const one = async (client: Pick<InstrumentedPool | PoolClient, 'query'>): Promise<unknown> => {
  const { rows } = await (client.query as (text: string) => Promise<{ rows: unknown[] }>)('select 1 as one');
  return (rows[0] as { one: number }).one;
};

const dialling = (step: Step): Scene => ({
  options: { connectTimeoutMs: limitMs, acquireTimeoutMs: limitMs },
  run: ({ pool }) => {
    stallAfter(step);
    return one(pool);
  },
});

/** Releases a client during the stall, while another acquire waits for it. */
const whileOneWaits = async ({ pool }: Given): Promise<unknown> => {
  const client = await pool.connect();
  const answer = client.query('select 1').then(() => client.release());
  const waiting = one(pool);
  stall();
  await answer;
  return await waiting;
};

const SCENES: Record<string, Scene> = {
  ping: {
    max: 3,
    run: async ({ pool }) => {
      const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
      for (const client of clients) client.release();
      await sleep(1_100);
      const answers = Promise.all([one(pool), one(pool), one(pool)]);
      setImmediate(stall);
      return [await answers, pool.stat().newConnsCount];
    },
  },
  'ping of a dead peer': {
    max: 2,
    run: async ({ pool }) => {
      await one(pool);
      say('cut me off');
      await sleep(1_500);
      const answer = one(pool);
      setImmediate(stall);
      return [await answer, pool.stat().newConnsCount];
    },
  },
  'dial to a dead peer': {
    options: { connectTimeoutMs: limitMs },
    run: async ({ pool }) => {
      say('be silent');
      await sleep(500);
      stallAfter('startup');
      const error = await one(pool).catch((thrown: unknown) => thrown);
      return (error as { code: unknown }).code;
    },
  },
  tcp: dialling('connect'),
  'tcp to a host of two addresses': {
    config: { host: 'two.test' },
    run: ({ pool }) => {
      const { lookup } = dns;
      let stalled = false;
      dns.lookup = ((_name: string, _options: object, done: (...args: unknown[]) => void) => {
        // No server listens on the second address.
        const found = ['127.0.0.1', '127.0.0.9'].map((address) => ({ address, family: 4 }));
        done(null, found);
        // Stall while the first address is being tried.
        if (!stalled) process.nextTick(stall);
        stalled = true;
      }) as unknown as typeof lookup;
      return one(pool).finally(() => (dns.lookup = lookup));
    },
  },
  tls: dialling('requestSsl'),
  startup: dialling('startup'),
  password: dialling('sendSASLInitialResponseMessage'),
  'after connect': {
    options: {
      connectTimeoutMs: limitMs,
      acquireTimeoutMs: limitMs,
      afterConnect: async (client) => {
        const answer = client.query('select 1');
        stall();
        await answer;
        await client.query('select 2');
      },
    },
    run: ({ pool }) => one(pool),
  },
  'before connect': {
    options: {
      connectTimeoutMs: limitMs,
      acquireTimeoutMs: limitMs,
      beforeConnect: async () => {
        await sleep(1);
        stall();
        await sleep(1);
      },
    },
    run: ({ pool }) => one(pool),
  },
  settle: {
    run: async ({ pool }) => {
      const client = await pool.connect();
      // The callback runs before ReadyForQuery, which the parent delays.
      await new Promise<void>((resolve) => {
        client.query('select 1/0', () => {
          client.release();
          stall();
          resolve();
        });
      });
      return [await one(pool), pool.stat().newConnsCount];
    },
  },
  query: {
    options: { queryTimeoutMs: limitMs },
    run: async ({ pool }) => {
      const client = await pool.connect();
      const answers = Promise.all([
        one(client),
        one(client),
        client.query('select repeat($1, 1000000) as t', ['x']),
      ]);
      stall();
      const [first, second, third] = await answers;
      client.release();
      const { t } = third.rows[0] as { t: string };
      return [first, second, t.length, pool.stat().newConnsCount];
    },
  },
  cancel: {
    options: { queryTimeoutMs: 300 },
    run: async ({ pool }) => {
      stallAfter('cancel');
      const error = await pool.query("select 'cancel me', pg_sleep(60)").catch((thrown: unknown) => thrown);
      return [error instanceof Error && error.message.startsWith('Query read timeout'), await one(pool)];
    },
  },
  'cancel dial': {
    options: { queryTimeoutMs: 300 },
    run: async ({ pool }) => {
      const client = await pool.connect();
      stallAfter('connect');
      const error = await client.query("select 'cancel me', pg_sleep(60)").catch((thrown: unknown) => thrown);
      client.release();
      return [error instanceof Error && error.message.startsWith('Query read timeout'), await one(pool)];
    },
  },
  acquire: {
    options: { acquireTimeoutMs: limitMs },
    run: whileOneWaits,
  },
  leak: {
    options: { leakDetectionMs: limitMs },
    run: async ({ pool }) => {
      const client = await pool.connect();
      const answer = client.query('select 1').then(() => client.release());
      stall();
      await answer;
      return undefined;
    },
  },
  saturation: {
    run: whileOneWaits,
  },
  'end timeout': {
    options: { endTimeoutMs: limitMs },
    run: async ({ pool }) => {
      const client = await pool.connect();
      const answer = one(client);
      const ended = pool.end();
      stall();
      const found = await answer;
      client.release();
      await ended;
      return found;
    },
  },
  end: {
    run: async ({ pool }) => {
      await one(pool);
      const ended = pool.end();
      stall();
      await ended;
      return pool.totalCount;
    },
  },
};

for (const name of names) {
  current = name;
  const scene = SCENES[name];
  if (scene === undefined) throw new Error(`no scene ${name}`);
  const log = new RecordingLogger();
  const pool = await childPool(
    { maxOpenConns: scene.max ?? 1, ...scene.config },
    { logger: log, ...scene.options },
  );
  const found = await scene.run({ pool, log }).catch((error: unknown) => String(error));
  const warnings = log.records.filter(({ level }) => level === 'warn').map(({ message }) => message);
  const before = log.closeReasons.filter((reason) => reason !== 'pool_end');
  await pool.end();
  say(`${name}: ${JSON.stringify({ found, closed: before, warnings })}`);
}
