import type { PoolStat } from 'pgauge';
import { describe, expect, test } from 'vitest';
import { logins, usePlace } from './support/place.js';

const { rds, query, run } = usePlace();
const CHECK_VIOLATION = '23514';
const MAX_CONNECTIONS = 5;

interface Report {
  readonly stat: PoolStat;
  readonly prepared: number;
  readonly sessions: unknown;
  readonly ended: boolean;
}

/** Runs an example that moves everything from Ada to Bob, one at a time, and tries once more; gives what it told beside that, and its logins. */
async function transfer(file: string, refusal = CHECK_VIOLATION): Promise<Report & { logins: number }> {
  const before = logins(rds());
  const { balances, refused, ...rest } = (await run(file)) as Report & Record<string, unknown>;
  const ada = { owner: 'ada', balance: 0 };
  const bob = { owner: 'bob', balance: 100 };
  expect({ balances, refused }).toEqual({ balances: [ada, bob], refused: refusal });
  expect(await query('select * from account order by owner')).toEqual([ada, bob]);
  expect(
    await query('select sender, recipient, amount, count(*)::int from transfer group by 1, 2, 3'),
  ).toEqual([{ sender: 'ada', recipient: 'bob', amount: 1, count: 100 }]);
  return { ...rest, logins: logins(rds()) - before };
}

/** Expects that every connection of a run was the pool's. */
function expectOnly(stat: PoolStat, logins: number): void {
  expect(stat.acquireCount).toBeGreaterThan(100);
  expect(stat.newConnsCount).toBe(MAX_CONNECTIONS);
  expect(logins).toBe(stat.newConnsCount);
}

describe('a tool that is given the pool', () => {
  test('Kysely: it prepares every connection once, however often that is checked out, and ends the pool', async () => {
    const { stat, prepared, ended, logins } = await transfer('kysely/main.ts');
    expectOnly(stat, logins);
    expect(prepared).toBe(logins);
    expect(ended).toBe(true);
  });

  test('Drizzle: it has no connection but the pool’s', async () => {
    const { stat, logins } = await transfer('drizzle/main.ts');
    expectOnly(stat, logins);
  });

  test('Prisma: it has no connection but the pool’s, and says by its own code what the server refused', async () => {
    const { stat, sessions, logins } = await transfer('prisma/main.ts', 'P2039');
    expectOnly(stat, logins);
    expect(sessions).toEqual([{ application_name: 'prisma-example', n: MAX_CONNECTIONS }]);
  });

  test('Knex: it has no connection but the pool’s', async () => {
    const { stat, logins } = await transfer('knex/main.ts');
    expectOnly(stat, logins);
  });
});

describe('a tool that makes its pool itself, of a class that it is given', () => {
  test.each(['typeorm', 'pg-promise'])('%s: it has no connection but that pool’s', async (tool) => {
    const { stat, logins } = await transfer(`${tool}/main.ts`);
    expectOnly(stat, logins);
  });
});

describe('a tool with a pool of its own', () => {
  test('Sequelize: every connection logs in with a token', async () => {
    const { logins } = await transfer('sequelize/main.ts');
    // One more asks for the server's version before there is a pool.
    expect(logins).toBe(MAX_CONNECTIONS + 1);
  });
});
