import { afterAll, beforeAll } from 'vitest';
import { startLocalRds, type LocalRds, type LocalRdsOptions } from '../../local-rds/index.js';
import { startPostgres, type LocalPostgres, type PostgresOptions } from '../../local-rds/postgres.js';

/**
 * Starts a stand-in for RDS before the calling file's tests and stops it after them; returns a function that returns
 * it. The tests fail if the server cannot start.
 */
export function useLocalRds(options?: LocalRdsOptions): () => LocalRds {
  return useServer('local RDS', () => startLocalRds(options));
}

/**
 * Starts a plain PostgreSQL before the calling file's tests and stops it after them; returns a function that returns
 * it. The tests fail if the server cannot start.
 */
export function usePostgres(options?: PostgresOptions): () => LocalPostgres {
  return useServer('PostgreSQL', () => startPostgres(options));
}

function useServer<Server extends { stop(): Promise<void> }>(
  name: string,
  start: () => Promise<Server>,
): () => Server {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    await server?.stop();
  });
  return () => {
    if (!server)
      throw new Error(`the ${name} of this file is not running yet: ask for it inside a test or hook`);
    return server;
  };
}
