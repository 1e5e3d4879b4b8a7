import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { PoolClient } from 'pg';
import type { ProxyControls } from '../../support/proxy-link.js';
import { UNDISTURBED } from '../../support/proxy.js';
import type { Holding } from './holding.js';
import { SHARED_QUERIES } from './sharing.js';
import type { World } from './world.js';

/** The world keeps the records itself, so the library's model is unused. */
type Step = fc.AsyncCommand<object, World>;

function step<T>(
  weight: number,
  name: string,
  given: fc.Arbitrary<T>,
  run: (world: World, given: T) => unknown,
): fc.WeightedArbitrary<Step> {
  const arbitrary = given.map((value) => ({
    check: () => true,
    run: async (_book: object, world: World): Promise<void> => {
      await run(world, value);
      // Let everything queued for the next turn run first.
      await new Promise(setImmediate);
      world.check();
    },
    toString: () => `${name} ${fc.stringify(value)}`,
  }));
  return { weight, arbitrary };
}

const nothing = fc.constant(undefined);
const index = fc.nat(20);
const ms = fc.constantFrom(1, 5, 20, 60);

/** A step for one of the current holders, if there is one. */
function withHolding<T>(
  weight: number,
  name: string,
  given: fc.Arbitrary<T>,
  run: (holding: Holding, given: T, world: World) => unknown,
): fc.WeightedArbitrary<Step> {
  return step(weight, name, fc.tuple(index, given), (world, [at, value]) => {
    const { holdings } = world;
    const holding = holdings[at % holdings.length];
    return holding === undefined ? undefined : run(holding, value, world);
  });
}

/** Disturbs the traffic for a while, during which later steps continue. */
function disturb(weight: number, name: string, controls: Partial<ProxyControls>): fc.WeightedArbitrary<Step> {
  return step(weight, name, fc.constantFrom(10, 50, 200, 700), ({ proxy }, lastsMs) => {
    proxy.set(controls);
    setTimeout(() => proxy.set(undisturbed(controls)), lastsMs);
  });
}

/** The undisturbed values of the same controls. */
function undisturbed(controls: Partial<ProxyControls>): Partial<ProxyControls> {
  return Object.fromEntries(
    Object.keys(controls).map((key) => [key, UNDISTURBED[key as keyof ProxyControls]]),
  );
}

const byCallback = ({ pool }: World): Promise<PoolClient> =>
  new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) reject(error ?? new Error('neither a client nor an error'));
      else resolve(client);
    });
  });

function withSignal(world: World, abortAfterMs: number): void {
  const abort = new AbortController();
  if (abortAfterMs === 1) abort.abort();
  else setTimeout(() => abort.abort(), abortAfterMs);
  world.acquire(world.pool.connect({ signal: abort.signal }));
}

const lateReady = (type: string): number => (type === 'Z' ? 30 : 0);

const QUERIES = [
  'select 1',
  'select 1/0',
  'select pg_sleep(0.02)',
  'select pg_sleep(1)',
  'begin',
  'begin; select 1/0',
  'selec',
];

function poolQuery(world: World, [text, callback]: [string, boolean]): void {
  const { pool } = world;
  const query = callback
    ? new Promise<void>((resolve, reject) => {
        pool.query(text, (error: Error | undefined) => (error ? reject(error) : resolve()));
      })
    : pool.query(text);
  void world.track(
    `pool.query ${text}`,
    query.then(
      () => undefined,
      (error: unknown) => world.failed(text, error),
    ),
  );
}

function releaseAgain(world: World, at: number): void {
  const { formerReleases } = world;
  const release = formerReleases[at % formerReleases.length];
  if (release === undefined) return;
  try {
    release();
    world.violated('a second release was taken');
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith('Release called on client which has already been released'))
      world.violated(message);
  }
}

/** Everything that may happen to a pool. */
export const steps: readonly fc.WeightedArbitrary<Step>[] = [
  step(8, 'acquire', nothing, (world) => world.acquire(world.pool.connect())),
  step(4, 'acquire by callback', nothing, (world) => world.acquire(byCallback(world))),
  step(3, 'acquire with a signal', ms, withSignal),
  step(3, 'acquire in at most', ms, (world, timeoutMs) => world.acquire(world.pool.connect({ timeoutMs }))),
  step(6, 'pool.query', fc.tuple(fc.constantFrom(...QUERIES), fc.boolean()), poolQuery),
  step(
    6,
    'queries that may share',
    fc.array(fc.constantFrom(...SHARED_QUERIES), { minLength: 1, maxLength: 8 }),
    (world, kinds) => kinds.forEach((kind) => world.shared.run(kind)),
  ),

  withHolding(6, 'query', fc.constantFrom(0, 0, 0.02, 1), (holding, seconds) => void holding.echo(seconds)),
  withHolding(4, 'query and wait', nothing, (holding) => holding.echo()),
  withHolding(4, 'begin', fc.boolean(), (holding, wait) => (wait ? holding.begin() : void holding.begin())),
  withHolding(3, 'fail', fc.boolean(), (holding, wait) => (wait ? holding.fail() : void holding.fail())),
  withHolding(3, 'end the transaction', fc.constantFrom('commit', 'rollback'), (holding, how) =>
    holding.endTransaction(how),
  ),
  withHolding(6, 'give back', nothing, (holding) => holding.giveBack()),
  withHolding(
    4,
    'ask for a transaction and release',
    fc.constantFrom('commit', 'rollback'),
    (holding, how) => {
      void holding.begin();
      void holding.echo();
      void holding.endTransaction(how);
      holding.drop();
    },
  ),
  withHolding(6, 'release as it is', nothing, (holding) => holding.drop()),
  withHolding(2, 'release with an error', nothing, (holding) => holding.drop(new Error('unwanted'))),
  withHolding(4, 'fail and release in the callback', fc.boolean(), (holding, inTransaction) =>
    holding.failAndRelease(inTransaction),
  ),
  withHolding(
    3,
    'fail and release in the callback, long before ReadyForQuery, while others wait',
    fc.boolean(),
    (holding, inTransaction, world) => {
      world.proxy.set({ messageDelayMs: lateReady });
      holding.failAndRelease(inTransaction);
      for (let at = 0; at < world.max; at += 1) world.acquire(world.pool.connect());
    },
  ),
  step(2, 'release again', index, releaseAgain),

  step(8, 'wait', fc.constantFrom(0, 2, 10, 40, 150), (_world, wait) => sleep(wait)),
  // Exceeds the idle timeout, the lifetime, and the age at which a connection is pinged.
  step(1, 'wait for long', fc.constantFrom(500, 1_200), (_world, wait) => sleep(wait)),
  step(1, 'reset()', nothing, ({ pool }) => pool.reset()),
  step(2, 'resize()', fc.integer({ min: 1, max: 5 }), (world, max) => world.resize(max)),
  step(1, 'ready()', index, (world) => world.ready()),
  step(1, 'end()', fc.constantFrom('serve', 'reject'), (world, waiting) => world.end({ waiting })),

  step(2, 'terminate sessions', fc.constantFrom(1, 10), ({ server, application }, count) =>
    server.query(
      `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
        where application_name = $1 order by random() limit $2) chosen`,
      [application, count],
    ),
  ),
  step(2, 'reset connections', nothing, ({ proxy }) => proxy.resetAll()),
  step(1, 'forget connections', nothing, ({ proxy }) => proxy.forgetOpen()),
  step(1, 'nobody listens for', ms, async ({ proxy }, wait) => {
    await proxy.pause();
    await sleep(wait);
    await proxy.listen();
  }),
  step(2, 'outage for', fc.constantFrom(100, 500, 1_000), async ({ proxy }, wait) => {
    await proxy.pause();
    proxy.resetAll();
    await sleep(wait);
    await proxy.listen();
  }),
  disturb(1, 'black hole', { blackHole: true }),
  disturb(1, 'refuse', { refuse: true }),
  disturb(1, 'cut inside a message', { cutAfterBytes: 700 }),
  disturb(2, 'delay', { delayMs: 15 }),
  disturb(2, 'delay ReadyForQuery', { messageDelayMs: lateReady }),
  disturb(1, 'small pieces', { chunkBytes: 7 }),
  step(2, 'calm', nothing, (world) => world.calm()),
  step(1, 'settle', nothing, async (world) => {
    world.calm();
    if (!world.ended) await world.countsAgree();
  }),
];
