import { readFileSync } from 'node:fs';
import { newAuthToken } from 'pgauge';
import { Sequelize } from 'sequelize';
import { config, roots, server } from '../config.js';

const { user, database } = config;

/** Sequelize creates its own pool. */
export const db = new Sequelize({
  dialect: 'postgres',
  ...server,
  ...{ username: user, database },
  dialectOptions: { ssl: { ca: readFileSync(roots) } },
  hooks: {
    // Runs for every new connection, because a token is valid for 15 minutes.
    beforeConnect: async (connection) => {
      connection.password = await newAuthToken(config, user);
    },
  },
  pool: { max: 5 },
  logging: false,
});
