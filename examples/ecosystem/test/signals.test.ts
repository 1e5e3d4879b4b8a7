import { PrismaPg } from '@prisma/adapter-pg';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import knex from 'knex';
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import { newDynamicAuthFunc, newPool, poolClass, type InstrumentedPool } from 'pgauge';
import pgPromise from 'pg-promise';
import { DataSource } from 'typeorm';
import { expect, test } from 'vitest';
import { useCleanEnvironment } from '../../../test/support/environment.js';
import { RecordingLogger } from '../../../test/support/logger.js';
import { rejection, until } from '../../../test/support/until.js';
import { addSignals, withSignal } from '../signals.js';
import { usePlace } from './support/place.js';

const { query, env } = usePlace();
useCleanEnvironment(env);

const SLEEP = 'select pg_sleep(60)';
const OPTIONS = { afterConnect: addSignals, logger: new RecordingLogger() };

/** A tool on a pool, which runs an SQL text alone or in a transaction. */
interface Tool {
  readonly pool: InstrumentedPool;
  readonly run: (text: string) => PromiseLike<unknown>;
  readonly inTransaction: (text: string) => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

type MakePool = () => Promise<InstrumentedPool>;

const TOOLS: Record<string, (makePool: MakePool, Pool: ReturnType<typeof poolClass>) => Promise<Tool>> = {
  Kysely: async (makePool) => {
    const pool = await makePool();
    const db = new Kysely<object>({ dialect: new PostgresDialect({ pool }) });
    const run = (text: string): Promise<unknown> => db.executeQuery(CompiledQuery.raw(text));
    const inTransaction = (text: string): Promise<unknown> =>
      db.transaction().execute((trx) => trx.executeQuery(CompiledQuery.raw(text)));
    return { pool, run, inTransaction, close: () => db.destroy() };
  },
  Drizzle: async (makePool) => {
    const pool = await makePool();
    const db = drizzle({ client: pool });
    const run = (text: string): PromiseLike<unknown> => db.execute(sql.raw(text));
    const inTransaction = (text: string): Promise<unknown> =>
      db.transaction(async (tx) => await tx.execute(sql.raw(text)));
    return { pool, run, inTransaction, close: () => pool.end() };
  },
  Prisma: async (makePool) => {
    const pool = await makePool();
    const { PrismaClient } = await import('../prisma/generated/client.js');
    const prisma = new PrismaClient({
      adapter: new PrismaPg(pool),
      transactionOptions: { maxWait: 30_000, timeout: 30_000 },
    });
    const run = (text: string): Promise<unknown> => prisma.$executeRawUnsafe(text);
    const inTransaction = (text: string): Promise<unknown> =>
      prisma.$transaction(async (tx) => await tx.$executeRawUnsafe(text));
    return { pool, run, inTransaction, close: () => prisma.$disconnect().then(() => pool.end()) };
  },
  Knex: async (makePool) => {
    const pool = await makePool();
    const db = knex({ client: 'pg', connectionPool: pool });
    const run = (text: string): PromiseLike<unknown> => db.raw(text);
    const inTransaction = (text: string): Promise<unknown> =>
      db.transaction(async (trx) => (await trx.raw(text)) as unknown);
    return { pool, run, inTransaction, close: () => db.destroy().then(() => pool.end()) };
  },
  TypeORM: async (_makePool, Pool) => {
    const db = await new DataSource({ type: 'postgres', driver: { Pool } }).initialize();
    const { master: pool } = db.driver as unknown as { master: InstrumentedPool };
    const run = (text: string): Promise<unknown> => db.query(text);
    const inTransaction = (text: string): Promise<unknown> =>
      db.transaction((manager) => manager.query(text));
    return { pool, run, inTransaction, close: () => db.destroy() };
  },
  'pg-promise': (_makePool, Pool) => {
    const pgp = pgPromise({ noWarnings: true });
    Object.assign(pgp, { pg: { ...pgp.pg, Pool } });
    const db = pgp({});
    const run = (text: string): Promise<unknown> => db.any(text);
    const inTransaction = (text: string): Promise<unknown> => db.tx((tx) => tx.any(text));
    const pool = db.$pool as unknown as InstrumentedPool;
    return Promise.resolve({ pool, run, inTransaction, close: () => pool.end() });
  },
};

async function tool(name: string): Promise<Tool> {
  const { config } = await import('../config.js');
  const makePool: MakePool = () => newPool({ ...config, maxOpenConns: 2 }, OPTIONS);
  const beforeConnect = await newDynamicAuthFunc(config, config.user);
  const Pool = poolClass(
    { ...config, dynamicAuth: undefined, maxOpenConns: 2 },
    { ...OPTIONS, beforeConnect },
  );
  const make = TOOLS[name];
  if (make === undefined) throw new Error(`there is no tool ${name}`);
  return await make(makePool, Pool);
}

const running = async (): Promise<number> =>
  (await query(`select from pg_stat_activity where state = 'active' and query = '${SLEEP}'`)).length;

test.each(Object.keys(TOOLS))(
  '%s: a query is stopped by the signal of the surrounding work',
  async (name) => {
    const { pool, run, inTransaction, close } = await tool(name);
    for (const sleep of [run, inTransaction]) {
      const controller = new AbortController();
      const stopped = rejection(withSignal(controller.signal, () => sleep(SLEEP)));
      await until('the server runs it', async () => (await running()) === 1);
      const opened = pool.stat().newConnsCount;
      controller.abort(new Error('the client is gone'));
      const error = await stopped;
      expect(String(error) + String(error.cause)).toContain('the client is gone');
      await until('the server has stopped it', async () => (await running()) === 0);
      await until('its connection is back', () => pool.stat().acquiredConns === 0);
      await run('select 1');
      expect(pool.stat().newConnsCount).toBe(opened);
    }
    await close();
  },
);

test('Knex: a query is stopped by the signal in its options', async () => {
  const { config } = await import('../config.js');
  const pool = await newPool({ ...config, maxOpenConns: 2 }, { logger: new RecordingLogger() });
  const db = knex({ client: 'pg', connectionPool: pool });
  const controller = new AbortController();
  const sleeping = db.select(db.raw('pg_sleep(60)')).options({ signal: controller.signal });
  const stopped = rejection(Promise.resolve(sleeping));
  await until('the server runs it', async () => (await running()) === 1);
  const reason = new Error('the client is gone');
  controller.abort(reason);
  expect(await stopped).toBe(reason);
  await until('the server has stopped it', async () => (await running()) === 0);
  await db.destroy();
  await pool.end();
});
