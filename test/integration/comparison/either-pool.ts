import pg from 'pg';
import { newPool } from '../../../src/index.js';
import { RecordingLogger } from '../../support/logger.js';

/** The pools that are compared. */
export type Kind = 'pg.Pool' | 'pgauge';

/** A login without TLS. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A pool of either kind, used through the methods they have in common. */
export async function eitherPool(kind: Kind, login: Login, { max = 1, min = 0 } = {}): Promise<pg.Pool> {
  const { host, port, user, password, database } = login;
  if (kind === 'pg.Pool') return new pg.Pool({ host, port, user, password, database, max, min });
  const pool: unknown = await newPool(
    { host, port, user, password, database, sslMode: 'disable', maxOpenConns: max, minConns: min },
    { logger: new RecordingLogger() },
  );
  return pool as pg.Pool;
}
