import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGate, type Gate } from '../../local-rds/index.js';
import { connectionString, newPool, type Config } from '../../src/index.js';
import { useCleanEnvironment } from '../support/environment.js';
import { RecordingLogger } from '../support/logger.js';
import { createLogin, createUser, ODD_LOGINS } from '../support/odd-logins.js';
import { usePostgres } from '../support/servers.js';
import { rejection } from '../support/until.js';

useCleanEnvironment();
const server = usePostgres();

const SQL = 'select current_user::text as "user", current_database()::text as database';

/** Logs in with a URL as pg-based tools do, and returns the user and the database. */
async function login(url: string): Promise<unknown> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(SQL)).rows[0] as unknown;
  } finally {
    await client.end();
  }
}

const configOf = (login: { user: string; password: string; database: string }): Config => ({
  ...login,
  host: server().host,
  port: server().port,
  sslMode: 'disable',
});

describe('a login with unusual but legal names', () => {
  test.each(ODD_LOGINS)('as $user to $database works by URL and by pool', async (odd) => {
    await createLogin(server(), odd);
    const { user, database } = odd;
    const config = configOf(odd);
    expect(await login(connectionString(config))).toEqual({ user, database });
    const pool = await newPool(config, { logger: new RecordingLogger() });
    expect((await pool.query(SQL)).rows).toEqual([{ user, database }]);
    await pool.end();
  });

  test.each(['a/b', 'two words'])('to database %j works by URL alone', async (database) => {
    await server().query(`create database ${pg.escapeIdentifier(database)}`);
    const { user, password } = server();
    expect(await login(connectionString(configOf({ user, password, database })))).toEqual({ user, database });
  });

  test('works for any name and password', async () => {
    const ascii = Array.from({ length: 95 }, (_, at) => String.fromCharCode(at + 32));
    const unit = fc.constantFrom(...ascii, 'ä', 'ß', 'é', 'ж', '日', '🔑');
    const name = fc
      .string({ unit, minLength: 1, maxLength: 30 })
      .filter((text) => !text.startsWith('pg_') && Buffer.byteLength(text) <= 63);
    const users = new Set<string>();
    const property = fc.asyncProperty(
      name,
      fc.string({ unit, minLength: 1, maxLength: 60 }),
      async (user, password) => {
        fc.pre(!users.has(user));
        users.add(user);
        await createUser(server(), user, password);
        const { database } = server();
        expect(await login(connectionString(configOf({ user, password, database })))).toEqual({
          user,
          database,
        });
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  test('does not work with another password', async () => {
    await createUser(server(), 'one', 'right');
    const url = connectionString(configOf({ user: 'one', password: 'right%20', database: 'postgres' }));
    expect(await rejection(login(url))).toMatchObject({ code: '28P01' });
  });
});

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe.runIf(hasIPv6)('on a machine with ::1, an IPv6 host', () => {
  let gate: Gate;
  beforeAll(async () => {
    const { socketDir, host, port } = server();
    gate = await startGate({
      backend: { socketPath: `${socketDir}/.s.PGSQL.${port}`, host, port },
      host: '::1',
      region: 'eu-central-1',
      iamUsers: [],
      credentials: () => undefined,
    });
  });
  afterAll(() => gate.close());

  test('works by URL, in brackets, and by pool', async () => {
    const { user, password, database } = server();
    const config: Config = { host: '::1', port: gate.port, user, password, database, sslMode: 'disable' };
    const url = connectionString(config);
    expect(url).toContain(`@[::1]:${gate.port}/`);
    expect(await login(url)).toEqual({ user, database });
    const pool = await newPool(config, { logger: new RecordingLogger() });
    expect((await pool.query(SQL)).rows).toEqual([{ user, database }]);
    await pool.end();
  });
});
