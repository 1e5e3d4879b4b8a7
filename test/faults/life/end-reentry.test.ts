import { describe, expect, test } from 'vitest';
import { PoolEndedError, type InstrumentedPool } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

type Calls = Promise<void>[];

/** Ways to call `end()` again from code that runs within it; `calls` receives the results of those calls. */
const WITHIN: [string, (pool: InstrumentedPool, calls: Calls) => void][] = [
  [
    'the callback of a waiting acquire',
    (pool, calls) => {
      pool.connect((error) => {
        expect(error).toBeInstanceOf(PoolEndedError);
        calls.push(pool.end());
      });
    },
  ],
  [
    'the callback of a waiting query',
    (pool, calls) => {
      pool.query('select 1', (error: Error) => {
        expect(error).toBeInstanceOf(PoolEndedError);
        calls.push(pool.end());
      });
    },
  ],
  [
    'a listener of endSignal',
    (pool, calls) => {
      pool.endSignal.addEventListener('abort', () => calls.push(pool.end()), { once: true });
    },
  ],
];

describe('end()', () => {
  test.each(WITHIN)(
    'called again from %s returns the promise of the first call, and it settles',
    async (_name, arm) => {
      const pool = await makePool(server(), { maxOpenConns: 1 });
      const client = await pool.connect();
      const calls: Calls = [];
      arm(pool, calls);
      calls.push(pool.end({ waiting: 'reject' }));
      expect(calls).toHaveLength(2);
      expect(calls[0]).toBe(calls[1]);
      expect(pool.ended).toBe(false);
      let settled = 0;
      for (const call of calls) void call.then(() => (settled += 1));
      client.release();
      await until('both calls settle', () => settled === 2, 5_000);
      expect(pool.ended).toBe(true);
      expect(pool.log.named('postgres connection pool ended')).toHaveLength(1);
    },
  );

  test('called from the remove listener of the last connection settles', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    let ended = false;
    pool.once('remove', () => void pool.end().then(() => (ended = true)));
    const client = await pool.connect();
    client.release(true);
    await until('it settles', () => ended, 5_000);
    expect(pool.totalCount).toBe(0);
  });
});
