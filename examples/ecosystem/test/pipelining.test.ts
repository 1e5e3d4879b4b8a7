import { asc, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { Kysely, PostgresDialect } from 'kysely';
import { newPool, type InstrumentedPool, type PoolOptions } from 'pgauge';
import { expect, test } from 'vitest';
import { useCleanEnvironment } from '../../../test/support/environment.js';
import { usePlace } from './support/place.js';

const { query, env } = usePlace();
useCleanEnvironment(env);

const MAX_CONNECTIONS = 2;
const DEPTH = 16;
const AT_ONCE = 60;

const account = pgTable('account', { owner: text().primaryKey(), balance: integer().notNull() });
interface Database {
  account: { owner: string; balance: number };
}

/** Runs queries and transactions of a tool at the same time; resolves with their results. */
type Work = (pool: InstrumentedPool) => Promise<unknown[]>;

const each = <T>(run: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: AT_ONCE }, (_, n) => run(n)));
/** The code of the driver's error, which is the cause of Drizzle's. */
const codeOf = (error: unknown): unknown => {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return code ?? (cause as { code?: unknown } | undefined)?.code;
};

const TOOLS: Readonly<Record<string, Work>> = {
  Drizzle: async (pool) => {
    const db = drizzle({ client: pool });
    const change = (on: Pick<typeof db, 'update'>, owner: string, by: number) =>
      on
        .update(account)
        .set({ balance: sql`${account.balance} + ${by}` })
        .where(eq(account.owner, owner));
    return [
      await each((n) =>
        db
          .insert(account)
          .values({ owner: `d${n}`, balance: n })
          .returning(),
      ),
      await each((n) =>
        db
          .select()
          .from(account)
          .where(eq(account.owner, `d${n}`)),
      ),
      await each((n) => change(db, `d${n}`, -1).returning().catch(codeOf)),
      await each((n) => db.transaction(async (tx) => await change(tx, `d${n}`, 1).returning()).catch(codeOf)),
      await db.select().from(account).orderBy(asc(account.owner)),
    ];
  },
  Kysely: async (pool) => {
    const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
    const change = (on: Pick<typeof db, 'updateTable'>, owner: string, by: number) =>
      on
        .updateTable('account')
        .set((row) => ({ balance: row('balance', '+', by) }))
        .where('owner', '=', owner)
        .returning('owner')
        .execute();
    return [
      await each((n) =>
        db
          .insertInto('account')
          .values({ owner: `k${n}`, balance: n })
          .execute(),
      ),
      await each((n) => db.selectFrom('account').selectAll().where('owner', '=', `k${n}`).execute()),
      await each((n) => change(db, `k${n}`, -1).catch(codeOf)),
      await each((n) =>
        db
          .transaction()
          .execute((trx) => change(trx, `k${n}`, 1))
          .catch(codeOf),
      ),
      await db.selectFrom('account').selectAll().orderBy('owner').execute(),
    ];
  },
};

test.each(Object.entries(TOOLS))('%s gives the same results with pipelined queries', async (_name, work) => {
  // Imported here, because it reads the environment.
  const { config } = await import('../config.js');
  const runOn = async (options: PoolOptions): Promise<unknown[]> => {
    await query('delete from account');
    const pool = await newPool({ ...config, maxOpenConns: MAX_CONNECTIONS }, options);
    const results = await work(pool);
    await pool.end();
    return results;
  };
  expect(await runOn({ pipelining: { depth: DEPTH, texts: true } })).toEqual(await runOn({}));
});
