import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const place = useCleanEnvironment();
const server = usePostgres();
const makePool = usePools(() => ({ user: server().user, database: 'postgres', password: '' }));

const RIGHT = (): string => `${server().host}:${server().port}:postgres:postgres:${server().password}`;

/** Writes a password file and sets PGPASSFILE to it. */
function passfile(lines: readonly string[], mode = 0o600): string {
  const path = join(place.home, 'pgpass');
  writeFileSync(path, lines.join('\n'));
  chmodSync(path, mode);
  setEnv({ PGPASSFILE: path });
  return path;
}

const ONE = [{ one: 1 }];

describe('a pool without a password', () => {
  test('logs in with the matching line of PGPASSFILE', async () => {
    passfile(['# passwords', `${server().host}:1:postgres:postgres:wrong`, RIGHT()]);
    const pool = await makePool(server());
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
    expect(pool.log.records.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('skips comments, short lines and lines for other logins, and treats * as a wildcard', async () => {
    passfile([
      '# *:*:*:*:wrong',
      '#*:*:*:*:wrong',
      '',
      'short',
      '*:*:*:postgres',
      `*:${server().port}:other:*:wrong`,
      `*:*:*:Postgres:wrong`,
      `${server().host}:*:*:*:${server().password}`,
      '*:*:*:*:wrong',
    ]);
    const pool = await makePool(server());
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });

  test('uses the first matching line, not the last', async () => {
    passfile(['*:*:*:*:wrong', RIGHT()]);
    const pool = await makePool(server());
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28P01' });
    passfile([RIGHT(), '*:*:*:*:wrong']);
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });

  test('logs in with .pgpass in the home folder when PGPASSFILE is not set', async () => {
    writeFileSync(join(place.home, '.pgpass'), RIGHT(), { mode: 0o600 });
    const pool = await makePool(server());
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });

  test('looks up the user and database that the hook set, including escaped characters', async () => {
    const odd = 'o:d\\d';
    await server().query(`create role "${odd}" login password 'pa:ss\\word'`);
    passfile(['*:*:postgres:postgres:wrong', '*:*:*:o\\:d\\\\d:pa\\:ss\\\\word']);
    const pool = await makePool(server(), {}, { beforeConnect: (target) => void (target.user = odd) });
    expect((await pool.query('select current_user')).rows).toEqual([{ current_user: odd }]);
  });

  test.each(['640', '604', '660'])(
    'ignores a file of mode %s, warns once, and names the file in the error',
    async (mode) => {
      const path = passfile([RIGHT()], Number.parseInt(mode, 8));
      const pool = await makePool(server());
      for (let n = 0; n < 2; n += 1) {
        const error = await rejection(pool.query('select 1'));
        expect(error).toMatchObject({ code: 'ERR_PGAUGE_CONFIG' });
        expect(error.message).toContain(`PGPASSFILE (${path})`);
      }
      expect(pool.totalCount).toBe(0);
      const ignored = pool.log.records.filter(({ message }) => message.startsWith('password file ignored'));
      expect(ignored).toEqual([
        {
          level: 'warn',
          message:
            'password file ignored: group or others have access to it, its mode should be 0600 or less',
          fields: { path },
        },
      ]);
    },
  );

  test.each(['no file', 'no matching line'])(
    'names PGPASSFILE in the error when there is %s',
    async (lack) => {
      const path = join(place.home, 'pgpass');
      setEnv({ PGPASSFILE: path });
      if (lack !== 'no file') passfile(['other.host:*:*:*:canary']);
      const pool = await makePool(server());
      const error = await rejection(pool.query('select 1'));
      expect(error).toMatchObject({ code: 'ERR_PGAUGE_CONFIG', name: 'ConfigError' });
      expect(error.message).toContain(`PGPASSFILE (${path})`);
      expect(error.message).not.toContain('canary');
      expect(pool.log.named('postgres connect failed')[0]?.fields).toMatchObject({
        error_type: 'ERR_PGAUGE_CONFIG',
        phase: 'auth',
        hint: expect.stringContaining('PGPASSFILE') as string,
      });
      expect(pool.totalCount).toBe(0);
    },
  );

  test('never uses PGPASSWORD', async () => {
    setEnv({ PGPASSWORD: server().password });
    const pool = await makePool(server());
    expect((await rejection(pool.query('select 1'))).message).toContain('PGPASSFILE');
  });
});

describe('a pool with a password', () => {
  test('ignores PGPASSFILE and PGPASSWORD', async () => {
    passfile(['*:*:*:*:wrong']);
    setEnv({ PGPASSWORD: 'wrong' });
    const pool = await makePool(server(), { password: server().password });
    expect((await pool.query('select 1 as one')).rows).toEqual(ONE);
  });

  test('does not fall back to PGPASSFILE when the password is wrong', async () => {
    passfile([RIGHT()]);
    const pool = await makePool(server(), { password: 'wrong' });
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28P01' });
  });
});
