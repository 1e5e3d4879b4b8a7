import { expect, test, vi } from 'vitest';
import { useCleanEnvironment } from '../../../test/support/environment.js';
import { logins, usePlace } from './support/place.js';

const { rds, query, env } = usePlace();
useCleanEnvironment(env);
const TOKEN_MS = 15 * 60_000;

interface Database {
  readonly open: () => Promise<unknown>;
  readonly ask: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

/** The examples' own modules, imported only once the server runs, because they read the environment. */
const TOOLS: Record<string, () => Promise<Database>> = {
  Knex: async () => {
    const { db } = await import('../knex/own-pool.js');
    const ask = async (): Promise<unknown> => db.raw('select 1');
    return { open: ask, ask, close: () => db.destroy() };
  },
  TypeORM: async () => {
    const { db } = await import('../typeorm/database.js');
    const ask = (): Promise<unknown> => db.query('select 1');
    return { open: () => db.initialize(), ask, close: () => db.destroy() };
  },
  Sequelize: async () => {
    const { db } = await import('../sequelize/database.js');
    return { open: () => db.authenticate(), ask: () => db.query('select 1'), close: () => db.close() };
  },
};

test.each(Object.entries(TOOLS))(
  '%s signs a new token for a connection that it opens after the first token expired',
  async (_name, load) => {
    const { open, ask, close } = await load();
    await open();
    const before = logins(rds());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + TOKEN_MS + 60_000 });
    try {
      await query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${rds().user}'`);
      await vi.waitFor(ask, { timeout: 10_000 });
      expect(logins(rds()) - before).toBeGreaterThan(0);
      expect(rds().gate.stats().tokensRejected).toBe(0);
    } finally {
      vi.useRealTimers();
      await close();
    }
  },
);
