import { afterEach, describe, expect, test } from 'vitest';
import { newAuthToken, newPool, startPoolStatsLogger, type InstrumentedPool } from '../../../src/index.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { RecordingLogger } from '../../support/logger.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { EXAMPLE_KEYS, iamConfig } from '../../support/tokens.js';
import { rejection } from '../../support/until.js';

useCleanEnvironment(() => EXAMPLE_KEYS);
const server = usePostgres();
const makePool = usePools(server);
const MANY = Array.from({ length: 15 });

const warnings: string[] = [];
const keep = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
process.on('warning', keep);
afterEach(() => void warnings.splice(0));

/** Node emits warnings in a later tick. */
async function warned(): Promise<string[]> {
  await new Promise((resolve) => setImmediate(resolve));
  return warnings;
}

describe('one signal used for many', () => {
  test('acquires cancels all of them, without a leak warning from Node', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const held = await pool.connect();
    const controller = new AbortController();
    const reason = new Error('the request is over');
    const waiting = MANY.map(() => rejection(pool.connect({ signal: controller.signal })));
    controller.abort(reason);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([reason]));
    expect(pool.stat().canceledAcquireCount).toBe(MANY.length);
    held.release();
    expect(await warned()).toEqual([]);
  });

  test('pools, stats loggers and tokens causes no warning', async () => {
    const { signal } = new AbortController();
    const { host, port, user, password, database } = server();
    const pools: InstrumentedPool[] = [];
    for (let made = 0; made < MANY.length; made++) {
      const config = { host, port, user, password, database, sslMode: 'disable' } as const;
      pools.push(await newPool(config, { signal, logger: new RecordingLogger() }));
    }
    const [pool] = pools;
    const loggers = MANY.map(() => startPoolStatsLogger(pool, { signal, logger: new RecordingLogger() }));
    await Promise.all(MANY.map(() => newAuthToken(iamConfig(), 'app', { signal })));
    expect(await warned()).toEqual([]);
    for (const logger of loggers) logger[Symbol.dispose]();
    await Promise.all(pools.map((one) => one.end()));
  });
});
