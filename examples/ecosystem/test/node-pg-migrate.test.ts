import { expect, test } from 'vitest';
import { logins, usePlace } from './support/place.js';

const { rds, query, run } = usePlace();
const MIGRATE = 'node-pg-migrate/main.ts';

test('node-pg-migrate migrates as the migration user, over one connection with a token', async () => {
  expect(logins(rds())).toBe(1);
  expect(
    await query("select tablename, tableowner from pg_tables where schemaname = 'public' order by 1"),
  ).toEqual(
    ['account', 'pgmigrations', 'transfer'].map((tablename) => ({ tablename, tableowner: 'migrator' })),
  );
});

test('node-pg-migrate does nothing when every migration has run', async () => {
  expect(await run(MIGRATE)).toEqual({ done: [], queries: {} });
});
