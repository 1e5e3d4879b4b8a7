import { readFileSync } from 'node:fs';
import knex from 'knex';
import { newAuthToken } from 'pgauge';
import { config, roots, server } from '../config.js';

const { user, database } = config;

/** Knex with its own pool, which versions below 3.3 need. */
export const db = knex({
  client: 'pg',
  connection: {
    ...server,
    ...{ user, database },
    // Called for every new connection, because a token is valid for 15 minutes.
    password: () => newAuthToken(config, user),
    ssl: { ca: readFileSync(roots) },
  },
  pool: { min: 0, max: 5 },
});
