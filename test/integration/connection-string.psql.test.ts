import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createCa } from '../../local-rds/index.js';
import { connectionString, migrationConnectionString, type Config } from '../../src/index.js';
import { useCleanEnvironment } from '../support/environment.js';
import { createLogin, createUser, ODD_LOGINS } from '../support/odd-logins.js';
import { usePostgres } from '../support/servers.js';
import { rejection } from '../support/until.js';

// Fails if psql of libpq is missing: npm does not install it.
const place = useCleanEnvironment();
const ca = await createCa();
const { certPem, keyPem } = await ca.issue({ dnsNames: ['localhost'] });
const server = usePostgres({ ssl: { cert: certPem, key: keyPem } });

/** Logs in with libpq, and returns the user, the database and whether the connection is encrypted. */
async function psql(url: string, env: Record<string, string> = {}): Promise<string[]> {
  const sql = `select current_user, current_database(), ssl from pg_stat_ssl where pid = pg_backend_pid()`;
  const { stdout } = await promisify(execFile)(
    'psql',
    ['--no-psqlrc', '--no-password', '--tuples-only', '--no-align', '--field-separator=\n', '-c', sql, url],
    { env: { PATH: process.env['PATH'] ?? '', HOME: place.home, PGCLIENTENCODING: 'UTF8', ...env } },
  );
  return stdout.replace(/\n$/, '').split('\n');
}

const configOf = (config: Partial<Config>): Config => ({
  host: 'localhost',
  port: server().port,
  user: server().user,
  password: server().password,
  database: server().database,
  ...config,
});

describe('psql, given connectionString(config),', () => {
  test.each(ODD_LOGINS)('logs in as $user to $database', async (odd) => {
    await createLogin(server(), odd);
    expect(await psql(connectionString(configOf(odd)))).toEqual([odd.user, odd.database, 't']);
  });

  test.each(['a/b', 'a?b', 'a#b', 'two words'])('logs in to database %j', async (database) => {
    await server().query(`create database "${database}"`);
    expect(await psql(connectionString(configOf({ database })))).toEqual(['postgres', database, 't']);
  });

  test('applies each sslMode correctly', async () => {
    const roots = join(place.home, 'roots.pem');
    writeFileSync(roots, ca.certPem);
    const env = { PGSSLROOTCERT: roots };
    const url = (config: Partial<Config>) => connectionString(configOf(config));
    expect(await psql(url({ sslMode: 'disable' }))).toEqual(['postgres', 'postgres', 'f']);
    expect(await psql(url({ sslMode: 'verify-full' }), env)).toEqual(['postgres', 'postgres', 't']);
    expect(await psql(url({ sslMode: 'verify-ca', host: '127.0.0.1' }), env)).toContain('t');
    const refused = await rejection(psql(url({ sslMode: 'verify-full', host: '127.0.0.1' }), env));
    expect(refused.message).toContain('does not match host name "127.0.0.1"');
  });

  test('reads the password of a migration user from PGPASSFILE when the URL has none', async () => {
    await createUser(server(), 'migrator', 'pa:ss');
    const path = join(place.home, 'pgpass');
    writeFileSync(path, 'localhost:*:*:migrator:pa\\:ss\n', { mode: 0o600 });
    const url = migrationConnectionString(configOf({ migrationUser: 'migrator' }));
    expect(url).toContain('//migrator@');
    expect(await psql(url, { PGPASSFILE: path })).toEqual(['migrator', 'postgres', 't']);
  });
});
