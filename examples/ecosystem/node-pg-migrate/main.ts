import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import { buildConnectionStringWithAuth, getMigrationUser, newAuthToken } from 'pgauge';
import { config, roots } from '../config.js';

// One token for the single connection of this run, signed for the user who owns the tables.
const user = getMigrationUser(config);
const url = buildConnectionStringWithAuth(config, user, await newAuthToken(config, user));

const done = await runner({
  databaseUrl: `${url}&sslrootcert=${encodeURIComponent(roots)}`,
  dir: join(import.meta.dirname, 'migrations'),
  migrationsTable: 'pgmigrations',
  direction: 'up',
  log: () => undefined,
});
console.log(JSON.stringify({ done: done.map(({ name }) => name) }));
