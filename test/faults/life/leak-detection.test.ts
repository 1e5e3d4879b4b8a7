import { describe, expect, test } from 'vitest';
import { AcquireTimeoutError, type InstrumentedPool } from '../../../src/index.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

/** Longer than a query takes on a busy machine. */
const LIMIT_MS = 1_000;

const server = usePostgres();
const makePool = usePools(server);
const SUSPECTED = 'postgres connection leak suspected';
const RETURNED = 'postgres connection leak returned';

async function forgetfulCaller(pool: InstrumentedPool) {
  return await pool.connect();
}

describe('a client that is not released', () => {
  test('makes other acquires time out with an error that says how long it has been held', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { acquireTimeoutMs: 100 });
    const leaked = await pool.connect({ timeoutMs: 20_000 });
    const error = await rejection(pool.query('select 1'));
    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(error.message).toMatch(/total 1, used 1, idle 0.*longest held \d+ ms/);
    leaked.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test.each([
    ['a new', false],
    ['a warm', true],
  ])(
    'causes one warning with leakDetectionMs, with the stack of the acquire of %s connection',
    async (_name, warm) => {
      const pool = await makePool(server(), { maxOpenConns: 1 }, { leakDetectionMs: LIMIT_MS });
      if (warm) await pool.query('select 1');
      const leaked = await forgetfulCaller(pool);
      await until('the leak is suspected', () => pool.log.named(SUSPECTED).length > 0);
      const [record] = pool.log.named(SUSPECTED);
      expect(record?.level).toBe('warn');
      expect(record?.fields['held_ms']).toBeGreaterThanOrEqual(LIMIT_MS - 1);
      expect(record?.fields['stack']).toContain('forgetfulCaller');
      expect(record?.fields['stack']).toContain('leak-detection.test.ts');
      leaked.release();
      expect(pool.log.named(SUSPECTED)).toHaveLength(1);
      expect(pool.log.named(RETURNED)).toMatchObject([{ level: 'debug' }]);
      expect(pool.log.named(RETURNED)[0]?.fields['held_ms']).toBeGreaterThanOrEqual(LIMIT_MS - 1);
    },
  );

  test('and was acquired by callback causes a warning with the stack of the acquire', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { leakDetectionMs: LIMIT_MS });
    let giveBack: (() => void) | undefined;
    function callbackCaller(): void {
      pool.connect((_error, _client, done) => (giveBack = done));
    }
    callbackCaller();
    await until('the leak is suspected', () => pool.log.named(SUSPECTED).length > 0);
    giveBack?.();
    expect(pool.log.named(RETURNED)).toHaveLength(1);
    expect(pool.log.named(SUSPECTED)[0]?.fields['stack']).toContain('callbackCaller');
  });

  test('causes no warning when it is released in time', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { leakDetectionMs: 2_000 });
    for (let round = 0; round < 5; round += 1) {
      const client = await pool.connect();
      await client.query('select pg_sleep(0.5)');
      client.release();
    }
    expect(pool.log.named(SUSPECTED)).toEqual([]);
    expect(pool.log.named(RETURNED)).toEqual([]);
  });

  test('causes no warning without leakDetectionMs', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query('select pg_sleep(0.1)');
    client.release();
    expect(pool.log.named(SUSPECTED)).toEqual([]);
  });
});
