import { expect, test } from 'vitest';
import { runScript } from '../../../test/support/child.js';
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

test('node-pg-migrate does nothing where all is done', async () => {
  expect(await run(MIGRATE)).toEqual({ done: [] });
});

test('npm start makes a server, migrates it, and runs an example on it', async () => {
  const { code, lines } = await runScript(new URL('../start.ts', import.meta.url), ['drizzle']).result;
  expect(code).toBe(0);
  const [migrated, transferred] = lines.map((line) => JSON.parse(line) as unknown);
  expect(migrated).toEqual({ done: ['1764000000000_accounts'] });
  expect(transferred).toMatchObject({ refused: '23514' });
});
