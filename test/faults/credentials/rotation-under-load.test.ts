import { expect, test } from 'vitest';
import { BACKEND_CASES } from '../../support/auth/cases.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { useLocalRds } from '../../support/servers.js';
import { until } from '../../support/until.js';

const CONNECTIONS = 5;
/** Queries before and after the rotation, enough for each connection to be replaced several times. */
const QUERIES = 40;

const rds = useLocalRds();
const place = useCleanEnvironment();
const makePool = useIamPools(rds);

test.each(BACKEND_CASES.map((row) => [row.backend, row.provider ?? '', row] as const))(
  '%s %s: a rotation under load fails only the queries whose logins used the old password',
  async (_backend, _provider, { start, fetches, rejection = /^28/ }) => {
    await using source = await start(rds(), place.home);
    const { user, dynamicAuth } = source;
    // Connections last for two queries, so that the load logs in all the time.
    const pool = await makePool({ user, dynamicAuth, maxOpenConns: CONNECTIONS }, { maxUses: 2 });
    const failed: { code?: string }[] = [];
    let done = 0;
    let over = false as boolean;
    const worker = async (): Promise<void> => {
      while (!over) {
        await pool.query('select 1').then(
          () => (done += 1),
          (error: unknown) => failed.push(error as { code?: string }),
        );
      }
    };
    const load = Array.from({ length: CONNECTIONS }, worker);
    try {
      await until('queries before it', () => done + failed.length > QUERIES);
      expect(failed).toEqual([]);
      const fetched = source.fetches();
      await source.rotate();
      const [rotated, during] = [done, failed.length];
      await until('queries after it', () => done > rotated + QUERIES);
      expect(failed.filter(({ code = '' }) => !rejection.test(code))).toEqual([]);
      // Each connection that was about to log in had been given the old password.
      expect(failed.length - during).toBeLessThanOrEqual(CONNECTIONS);
      expect(source.fetches() - fetched).toBe(fetches ? 1 : 0);
      const lost = failed.length;
      const settled = done;
      await until('more queries', () => done > settled + QUERIES);
      expect(failed).toHaveLength(lost);
    } finally {
      over = true;
      await Promise.all(load);
    }
  },
  120_000,
);
