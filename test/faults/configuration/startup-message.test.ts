import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ConnectTarget } from '../../../src/index.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

useCleanEnvironment();
const server = usePostgres();
const proxy = useProxy(server);
const GUEST = { user: 'guest', password: 'welcome', database: 'postgres' };
const makePool = usePools(() => GUEST);
const WHO = 'select current_user, current_database(), session_user';

beforeAll(() => server().query(`create role guest login password 'welcome'`));

describe('a NUL in a startup message field, which could name another role', () => {
  /** A value that the server would parse as three: the field, and then another user. */
  const smuggled = (value: string, user: string): string => `${value}\0user\0${user}`;

  test('makes the driver alone log in as that other role', async () => {
    const client = new pg.Client({
      ...{ host: server().host, port: server().port, user: 'nobody' },
      ...{ password: 'welcome', database: smuggled('postgres', 'guest'), ssl: false },
    });
    await client.connect();
    try {
      expect((await client.query(WHO)).rows).toMatchObject([{ current_user: 'guest' }]);
    } finally {
      await client.end();
    }
  });

  test.each<[string, (target: ConnectTarget) => void]>([
    ['user', (target) => (target.user = smuggled('guest', 'postgres'))],
    ['database', (target) => (target.database = smuggled('postgres', 'postgres'))],
    ['password', (target) => (target.password = 'welcome\0')],
    ['host', (target) => (target.host = '127.0.0.1\0')],
  ])('is never sent, even when a hook puts it into the %s', async (field, put) => {
    proxy().clear();
    const pool = await makePool(proxy(), {}, { beforeConnect: put });
    const error = await rejection(pool.query(WHO));
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_CONFIG' });
    expect(error.message).toMatch(new RegExp(`^beforeConnect: ${field} must not contain`));
    expect([proxy().accepted, proxy().clientBytes]).toEqual([0, 0]);
    expect(pool.totalCount).toBe(0);
  });
});

describe('a target changed by a hook is checked like a config', () => {
  test.each<[string, (target: ConnectTarget) => void, RegExp]>([
    ['a list of hosts', (target) => (target.host = 'one,two'), /a list of hosts is not supported/],
    ['a socket path', (target) => (target.host = server().socketDir), /host must not contain any of/],
    ['no host', (target) => (target.host = ''), /host is required/],
    ['port 0', (target) => (target.port = 0), /port must be between/],
    [
      'a port that is a string',
      (target) => ((target as { port: unknown }).port = '1'),
      /port must be between/,
    ],
    ['no user', (target) => (target.user = ''), /user is required/],
    ['no database', (target) => (target.database = ''), /database is required/],
    ['half a character', (target) => (target.user = '\ud800'), /user must be well-formed/],
  ])('%s is refused, and no connection is dialled', async (_what, put, text) => {
    proxy().clear();
    const pool = await makePool(proxy(), {}, { beforeConnect: put });
    const error = await rejection(pool.query(WHO));
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_CONFIG' });
    expect(error.message).toMatch(text);
    expect(proxy().accepted).toBe(0);
    expect(pool.totalCount).toBe(0);
  });
});
