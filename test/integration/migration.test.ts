import pg from 'pg';
import { describe, expect, test } from 'vitest';
import {
  buildConnectionStringWithAuth,
  connectionString,
  getMigrationUser,
  migrationConnectionString,
  newAuthToken,
  type Config,
} from '../../src/index.js';
import { useCleanEnvironment } from '../support/environment.js';
import { iamConfig } from '../support/rds-configs.js';
import { useLocalRds } from '../support/servers.js';
import { rejection } from '../support/until.js';

const rds = useLocalRds();
useCleanEnvironment(() => rds().awsEnv);

/** Runs one migration over a URL, as a pg-based tool does, and returns the owner of the table it created. */
async function migrate(url: string, table: string): Promise<unknown> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(`create temporary table ${table} (id int)`);
    const { rows } = await client.query<{ owner: string }>(
      'select tableowner as owner from pg_tables where tablename = $1',
      [table],
    );
    return rows[0]?.owner;
  } finally {
    await client.end();
  }
}

const encoded = (path: string): string => encodeURIComponent(path);

describe('a migration connection with a token', () => {
  const oneShot = async (config: Config): Promise<string> => {
    const user = getMigrationUser(config);
    return buildConnectionStringWithAuth(config, user, await newAuthToken(config, user));
  };

  test('logs in as the migration user', async () => {
    await rds().createUser('migrator');
    const config = iamConfig(rds(), { sslMode: 'verify-full', migrationUser: 'migrator' });
    const { tokensAccepted } = rds().gate.stats();
    // The tool reads the root certificates from the URL, because pg does not know PGSSLROOTCERT.
    const url = `${await oneShot(config)}&sslrootcert=${encoded(rds().caFile)}`;
    expect(await migrate(url, 'one')).toBe('migrator');
    expect(rds().gate.stats().tokensAccepted - tokensAccepted).toBe(1);
  });

  test('logs in as the user when no migration user is set', async () => {
    const url = await oneShot(iamConfig(rds(), { sslMode: 'verify-full' }));
    expect(await migrate(`${url}&sslrootcert=${encoded(rds().caFile)}`, 'two')).toBe(rds().user);
  });

  test('needs uselibpqcompat=true with sslmode=require, which pg otherwise treats as verify-full', async () => {
    const config = iamConfig(rds(), { sslMode: 'require' });
    const url = await oneShot(config);
    expect((await rejection(migrate(url, 'three'))).code).toMatch(/^(UNABLE_TO|SELF_SIGNED)/);
    expect(await migrate(`${url}&uselibpqcompat=true`, 'three')).toBe(rds().user);
  });

  test('verifies only the chain with sslmode=verify-ca, uselibpqcompat=true and sslrootcert', async () => {
    const user = rds().user;
    const config = iamConfig(rds(), { sslMode: 'verify-ca' });
    const url = buildConnectionStringWithAuth(config, user, await newAuthToken(config, user));
    const compatible = `${url}&uselibpqcompat=true&sslrootcert=${encoded(rds().caFile)}`;
    expect(await migrate(compatible, 'four')).toBe(user);
  });

  test('is refused when the token was signed for another user', async () => {
    await rds().createUser('other');
    const config = iamConfig(rds(), { sslMode: 'require', migrationUser: 'other' });
    const token = await newAuthToken(config, rds().user);
    const url = buildConnectionStringWithAuth(config, getMigrationUser(config), token);
    expect(await rejection(migrate(`${url}&uselibpqcompat=true`, 'five'))).toMatchObject({ code: '28000' });
  });
});

describe('a migration connection with passwords', () => {
  test('logs in as the migration user and as the user, each with its own password', async () => {
    await rds().createUser('static_app', { password: 'p@ss' });
    await rds().createUser('static_owner', { password: 'm:gr/te' });
    const config: Config = {
      host: rds().host,
      port: rds().port,
      user: 'static_app',
      password: 'p@ss',
      migrationUser: 'static_owner',
      migrationPassword: 'm:gr/te',
      database: rds().database,
      sslMode: 'verify-full',
    };
    const roots = `&sslrootcert=${encoded(rds().caFile)}`;
    expect(await migrate(migrationConnectionString(config) + roots, 'six')).toBe('static_owner');
    expect(await migrate(connectionString(config) + roots, 'seven')).toBe('static_app');
    const same = { ...config, migrationUser: undefined, migrationPassword: undefined };
    expect(await migrate(migrationConnectionString(same) + roots, 'eight')).toBe('static_app');
    // Another user without its own password does not get the application's.
    expect(migrationConnectionString({ ...config, migrationPassword: undefined })).toContain(
      '//static_owner@',
    );
  });

  test('without dynamicAuth, newAuthToken returns an empty string and the URL has no password', async () => {
    const config = iamConfig(rds(), { dynamicAuth: undefined });
    const token = await newAuthToken(config, getMigrationUser(config));
    expect(token).toBe('');
    expect(buildConnectionStringWithAuth(config, 'm', token)).toContain('//m@');
  });
});
