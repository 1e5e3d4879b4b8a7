import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { race, races } from '../support/stop-races.js';
import { backendPid } from '../support/pools.js';
import { rejection } from '../support/until.js';
import { usePgbouncer } from './server.js';

const server = usePostgres();
const pgbouncer = usePgbouncer(server);
const makePool = usePools(() => pgbouncer().login);

describe.each(['session', 'transaction'])('in %s pooling', (database) => {
  test('stopping queries at random moments never cancels another query', async () => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 3 });
    await fc.assert(
      fc.asyncProperty(races, (racers) => race(pool, racers)),
      { numRuns: 60, interruptAfterTimeLimit: 10_000 },
    );
    expect(pool.log.closeReasons.filter((reason) => reason !== 'timeout')).toEqual([]);
  }, 600_000);

  test('a stopped query keeps its connection to PgBouncer and its server connection', async () => {
    const pool = await makePool(pgbouncer(), { database, maxOpenConns: 1 });
    const before = await backendPid(pool);
    await rejection(pool.query({ text: 'select pg_sleep(60)', timeoutMs: 300 }));
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });
});
