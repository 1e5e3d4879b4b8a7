import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { race, races } from '../../support/stop-races.js';
import { until } from '../../support/until.js';

const { RACE_RUNS, RACE_SEED } = process.env;

const server = usePostgres();
const makePool = usePools(server);

test('stopping queries at random moments never cancels another query, and closes no connection except by timeout', async () => {
  const seed = RACE_SEED === undefined ? randomInt(2 ** 31) : Number(RACE_SEED);
  console.log(`seed ${seed}: RACE_SEED=${seed} replays`);
  const pool = await makePool(server(), { maxOpenConns: 3 });
  await fc.assert(
    fc.asyncProperty(races, (racers) => race(pool, racers)),
    {
      seed,
      numRuns: Number(RACE_RUNS ?? 60),
      ...(RACE_RUNS === undefined && { interruptAfterTimeLimit: 15_000 }),
    },
  );
  // When the time limit interrupts, the last run continues to its end.
  await until('no connection is in use', () => {
    const { acquiredConns, constructingConns } = pool.stat();
    return acquiredConns === 0 && constructingConns === 0;
  });
  // A loaded machine may be too slow to keep a connection after a timeout.
  expect(pool.log.closeReasons.filter((reason) => reason !== 'timeout')).toEqual([]);
}, 600_000);
