import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { canPipeline } from '../../../src/connection/driver.js';
import { METRIC } from '../../../src/telemetry/names.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { series, sumOf } from '../../support/series.js';
import { usePostgres } from '../../support/servers.js';
import { cleanUp, meterSdk } from '../../support/telemetry.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);
afterEach(cleanUp);

const P = 'shared';
/** How long the first query holds the connection, in seconds. */
const HELD_S = 0.1;
/** Is not answered before the advisory lock $1 is released. */
const LOCKED = 'select pg_advisory_xact_lock_shared($1)';

test.runIf(canPipeline())(
  'a shared connection counts as used from its first query to its last, and each query as an acquire that waits until it is sent',
  async () => {
    const sdk = meterSdk();
    const of = (metric: { name: string }) => series(sdk.points, metric.name, P);
    const sum = (metric: { name: string }) => sumOf(sdk.points, metric.name, P);
    const pool = await makePool(
      proxy(),
      { maxOpenConns: 1 },
      { pipelining: { depth: 3 }, meterProvider: sdk.meterProvider, poolName: P },
    );
    const locks = await (await makePool(server())).connect();
    await locks.query('select pg_advisory_lock(1), pg_advisory_lock(2)');
    await pool.query('select 1');
    expect(await of(METRIC.pipelined)).toEqual({ '': 0 });
    const before = { used: await sum(METRIC.useTime), waited: await sum(METRIC.waitTime) };

    const head = pool.query(LOCKED, [1]);
    const one = () => pool.query('select 1 where $1', [true]);
    const others = [one(), pool.query(LOCKED, [2]), one(), one()];
    expect(await of(METRIC.connectionCount)).toEqual({ idle: 0, used: 1, connecting: 0 });
    expect(await of(METRIC.pipelined)).toEqual({ '': 2 });
    expect(await of(METRIC.pendingRequests)).toEqual({ '': 2 });
    await setTimeout(HELD_S * 1000);
    await locks.query('select pg_advisory_unlock(1)');
    await head;
    // The third is still in flight when those that had to queue are sent: the connection stays in use.
    await until('they are sent', () => pool.waitingCount === 0);
    await locks.query('select pg_advisory_unlock(2)');
    await Promise.all(others);
    locks.release();

    expect(await of(METRIC.pipelined)).toEqual({ '': 0 });
    expect(await of(METRIC.connectionCount)).toEqual({ idle: 1, used: 0, connecting: 0 });
    expect(await of(METRIC.pendingRequests)).toEqual({ '': 0 });
    // One use for all of them, and a wait for each; those that had to queue waited as long as the first took.
    expect(await of(METRIC.useTime)).toEqual({ '': 2 });
    expect(await of(METRIC.waitTime)).toEqual({ '': 6 });
    expect((await sum(METRIC.useTime)) - before.used).toBeGreaterThanOrEqual(HELD_S);
    expect((await sum(METRIC.waitTime)) - before.waited).toBeGreaterThanOrEqual(2 * HELD_S);
    expect(pool.stat()).toMatchObject({ acquireCount: 6, emptyAcquireCount: 3 });
  },
);

test.runIf(canPipeline())(
  'after a shared connection is lost, no pipelined query counts as in flight',
  async () => {
    const sdk = meterSdk();
    const of = (metric: { name: string }) => series(sdk.points, metric.name, P);
    const pool = await makePool(
      proxy(),
      { maxOpenConns: 1 },
      { pipelining: { depth: 8 }, meterProvider: sdk.meterProvider, poolName: P },
    );
    await pool.query('select 1');
    const lost = [1, 2, 3, 4].map(() => rejection(pool.query('select pg_sleep($1)', [60])));
    expect(await of(METRIC.pipelined)).toEqual({ '': 3 });
    proxy().resetAll();
    await Promise.all(lost);
    expect(await of(METRIC.pipelined)).toEqual({ '': 0 });
    expect(await of(METRIC.useTime)).toEqual({ '': 2 });
    expect(await of(METRIC.connectionCount)).toEqual({ idle: 0, used: 0, connecting: 0 });
  },
);
