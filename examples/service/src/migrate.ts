import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { getMigrationUser, newPool } from 'pgauge';
import { log } from './log.js';
import { database } from './settings.js';

const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url));

// Runs before a new version is rolled out, as the user who owns the tables. The service's own user only uses them.
await using pool = await newPool(
  { ...database, user: getMigrationUser(database), maxOpenConns: 1, minConns: 0 },
  { logger: log },
);
await migrate(drizzle({ client: pool }), { migrationsFolder });
