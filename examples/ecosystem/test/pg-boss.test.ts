import type { PoolStat } from 'pgauge';
import { expect, test } from 'vitest';
import { logins, usePlace } from './support/place.js';

const { rds, query, run } = usePlace();

test('pg-boss sends jobs inside a business transaction, works them, and opens no connection of its own', async () => {
  const before = logins(rds());
  const { welcomed, refused, queries, ...rest } = await run('pg-boss/main.ts');
  const stat = rest['stat'] as PoolStat;
  expect({ welcomed, refused }).toEqual({ welcomed: ['cy', 'dee', 'eve'], refused: '23514' });
  expect(await query("select owner, balance from account where owner > 'c' order by owner")).toEqual(
    ['cy', 'dee', 'eve'].map((owner) => ({ owner, balance: 15 })),
  );
  // The job of the rejected account is not among them.
  expect(await query('select data, state::text from pgboss.job order by data')).toEqual(
    ['cy', 'dee', 'eve'].map((owner) => ({ data: { owner }, state: 'completed' })),
  );
  expect(queries).toMatchObject({
    'INSERT pgboss.job SELECT SELECT pgboss.queue': 4,
    ...{ begin: 4, 'insert account': 3, 'insert account: 23514': 1, commit: 3, rollback: 1 },
    'update account': 3,
  });
  expect(stat.acquireCount).toBeGreaterThan(10);
  expect(stat.newConnsCount).toBe(logins(rds()) - before);
});
