import type { PoolStat } from 'pgauge';
import { describe, expect, test } from 'vitest';
import { logins, usePlace, type Report } from './support/place.js';

const { rds, query, run } = usePlace();
const CHECK_VIOLATION = '23514';
const MAX_CONNECTIONS = 5;

interface Told extends Report {
  readonly stat: PoolStat;
  readonly logins: number;
}

/**
 * Runs an example that moves everything from Ada to Bob in steps of one, and tries once more; returns the rest of its
 * report and its number of logins.
 */
async function transfer(file: string, refusal = CHECK_VIOLATION): Promise<Told> {
  const before = logins(rds());
  const { balances, refused, ...rest } = (await run(file)) as Told;
  const ada = { owner: 'ada', balance: 0 };
  const bob = { owner: 'bob', balance: 100 };
  expect({ balances, refused }).toEqual({ balances: [ada, bob], refused: refusal });
  expect(await query('select * from account order by owner')).toEqual([ada, bob]);
  expect(
    await query('select sender, recipient, amount, count(*)::int from transfer group by 1, 2, 3'),
  ).toEqual([{ sender: 'ada', recipient: 'bob', amount: 1, count: 100 }]);
  return { ...rest, logins: logins(rds()) - before };
}

/**
 * The expected counts for 100 transfers, one that was rejected, and one query of the balances, by the tool's summaries.
 */
function ran(
  begin: string,
  update: string,
  insert: string,
  commit: string,
  rollback: string,
  select: string,
): Record<string, number> {
  return {
    ...{ [begin]: 101, [update]: 201, [insert]: 100, [commit]: 100, [select]: 1 },
    ...{ [`${update}: ${CHECK_VIOLATION}`]: 1, [rollback]: 1 },
  };
}

/** Expects every connection of a run to be the pool's. */
function expectOnly(stat: PoolStat, logins: number): void {
  expect(stat.acquireCount).toBeGreaterThan(100);
  expect(stat.newConnsCount).toBe(MAX_CONNECTIONS);
  expect(logins).toBe(stat.newConnsCount);
}

describe('a tool that gets the pool', () => {
  test('Kysely: prepares every connection once, however often it is checked out, and ends the pool', async () => {
    const { stat, prepared, ended, logins, queries } = await transfer('kysely/main.ts');
    expectOnly(stat, logins);
    expect(prepared).toBe(logins);
    expect(ended).toBe(true);
    expect(queries).toEqual({
      'set lock_timeout': MAX_CONNECTIONS,
      ...ran('begin', 'update "account"', 'insert "transfer"', 'commit', 'rollback', 'select "account"'),
    });
  });

  test('Drizzle: opens no connection of its own', async () => {
    const { stat, logins, queries } = await transfer('drizzle/main.ts');
    expectOnly(stat, logins);
    expect(queries).toEqual(
      ran('begin', 'update "account"', 'insert "transfer"', 'commit', 'rollback', 'select "account"'),
    );
  });

  test('Prisma: opens no connection of its own, and reports server errors by its own codes', async () => {
    const { stat, sessions, logins, queries } = await transfer('prisma/main.ts', 'P2039');
    expectOnly(stat, logins);
    expect(sessions).toEqual([{ application_name: 'prisma-example', n: MAX_CONNECTIONS }]);
    const [account, transfers] = ['"public"."account"', '"public"."transfer"'];
    expect(queries).toEqual({
      ...ran('BEGIN', `UPDATE ${account}`, `INSERT ${transfers}`, 'COMMIT', 'ROLLBACK', `SELECT ${account}`),
      'select pg_stat_activity': 1,
    });
  });

  test('Knex: opens no connection of its own', async () => {
    const { stat, logins, queries } = await transfer('knex/main.ts');
    expectOnly(stat, logins);
    expect(queries).toEqual({
      // Queries of the server's version, on each connection until one has the answer.
      select: expect.any(Number) as number,
      ...ran('BEGIN', 'update "account"', 'insert "transfer"', 'COMMIT', 'ROLLBACK', 'select "account"'),
    });
  });
});

describe('a tool that creates its pool from the class it gets', () => {
  test('TypeORM: opens no connection beside that pool', async () => {
    const { stat, logins, queries } = await transfer('typeorm/main.ts');
    expectOnly(stat, logins);
    const begin = 'START TRANSACTION';
    expect(queries).toEqual({
      ...{ SELECT: 1, 'SELECT current_database': 1, 'SELECT current_schema': 1 },
      ...ran(begin, 'UPDATE "account"', 'INSERT "transfer"', 'COMMIT', 'ROLLBACK', 'SELECT "account"'),
    });
  });

  test('pg-promise: opens no connection beside that pool', async () => {
    const { stat, logins, queries } = await transfer('pg-promise/main.ts');
    expectOnly(stat, logins);
    expect(queries).toEqual(
      ran('begin', 'update account', 'insert transfer', 'commit', 'rollback', 'select account'),
    );
  });
});

describe('a tool with its own pool', () => {
  test('Sequelize: every connection logs in with a token', async () => {
    const { logins, queries } = await transfer('sequelize/main.ts');
    // One more connection queries the server's version before the pool exists.
    expect(logins).toBe(MAX_CONNECTIONS + 1);
    // Sequelize does not use pgauge's pool.
    expect(queries).toEqual({});
  });
});
