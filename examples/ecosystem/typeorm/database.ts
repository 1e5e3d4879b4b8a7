import { readFileSync } from 'node:fs';
import { newAuthToken } from 'pgauge';
import { DataSource } from 'typeorm';
import { config, roots } from '../config.js';
import { Account, Transfer } from './entities.js';

const { host, port, user, database } = config;

/** TypeORM makes a pool of its own. */
export const db = new DataSource({
  type: 'postgres',
  ...{ host, port, username: user, database },
  // Asked for every new connection: a token is good for 15 minutes.
  password: () => newAuthToken(config, user),
  ssl: { ca: readFileSync(roots) },
  poolSize: 5,
  entities: [Account, Transfer],
});
