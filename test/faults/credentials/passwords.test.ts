import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { useLocalRds, usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { meterSdk } from '../../support/telemetry.js';

const rds = useLocalRds();
const server = usePostgres();
const proxy = useProxy(server);
const place = useCleanEnvironment();
const USER = { user: 'static', password: 'pa55 wörd' };
const makePool = usePools(() => ({ ...USER, database: rds().database }));

beforeEach(() => proxy().clear());

test('a user with a password logs in on a server that also takes tokens, without using a token', async () => {
  await rds().createUser(USER.user, { password: USER.password });
  const { tokensAccepted } = rds().gate.stats();
  const pool = await makePool(rds(), { sslMode: 'verify-full' }, { ssl: { ca: rds().caPem } });
  expect((await pool.query('select current_user')).rows).toEqual([{ current_user: 'static' }]);
  expect(rds().gate.stats().tokensAccepted).toBe(tokensAccepted);
});

test('a wrong password rejects with 28P01 and leaves no connection open', async () => {
  const { connections } = rds().gate.stats();
  const pool = await makePool(rds(), { sslMode: 'require', password: 'canary-wrong' });
  const error = await rejection(pool.query('select 1'));
  expect(error).toMatchObject({ code: '28P01', severity: 'FATAL' });
  expect(pool.totalCount).toBe(0);
  await until('the gate has lost the connection', () => rds().gate.stats().open === 0);
  expect(rds().gate.stats().connections - connections).toBe(1);
  const [failed] = pool.log.named('postgres connect failed');
  expect(failed?.fields).toMatchObject({ error_type: '28P01', phase: 'auth' });
  // The hint for tokens would mislead here.
  expect(failed?.fields).not.toHaveProperty('hint');
  expect(JSON.stringify(pool.log.records)).not.toContain('canary');
});

test('a failing credentials provider causes no fallback to the configured password, PGPASSWORD or PGPASSFILE', async () => {
  writeFileSync(join(place.home, 'pgpass'), `*:*:*:*:${USER.password}`, { mode: 0o600 });
  setEnv({ PGPASSFILE: join(place.home, 'pgpass'), PGPASSWORD: USER.password });
  const { connections } = rds().gate.stats();
  const pool = await makePool(rds(), {
    sslMode: 'require',
    dynamicAuth: { awsRdsIam: { region: rds().region } },
  });
  expect(await rejection(pool.query('select 1'))).toMatchObject({ code: 'ERR_PGAUGE_AUTH' });
  expect(rds().gate.stats().connections).toBe(connections);
});

describe('a login that PostgreSQL itself rejects', () => {
  /** Replaces the rules by which the server admits users; returns a function that restores the old ones. */
  async function admitOnly(user: string): Promise<() => Promise<void>> {
    const { rows } = await server().query<{ hba_file: string }>('show hba_file');
    const path = rows[0]?.hba_file ?? '';
    const rules = readFileSync(path, 'utf8');
    const write = async (text: string): Promise<void> => {
      writeFileSync(path, text);
      await server().query('select pg_reload_conf()');
    };
    await write(rules.replace(/^host all all/m, `host all ${user}`));
    return () => write(rules);
  }

  const rejected = async (login: { user: string; password: string }, code: string): Promise<void> => {
    const { meterProvider, value } = meterSdk();
    const pool = await makePool(proxy(), { ...login, database: 'postgres' }, { meterProvider });
    const error = await rejection(pool.query('select 1'));
    expect(error).toMatchObject({ code, severity: 'FATAL' });
    // There is no second attempt, whether the caller is notified or not.
    expect(proxy().accepted).toBe(1);
    expect(pool.totalCount).toBe(0);
    await until('the socket is closed', () => proxy().open === 0);
    expect(pool.log.named('postgres connect failed')).toMatchObject([
      { level: 'warn', fields: { error_type: code, phase: 'auth' } },
    ]);
    expect(pool.log.closeReasons).toEqual(['auth']);
    expect(await value('pgauge.connection.closed', { 'pgauge.connection.close_reason': 'auth' })).toBe(1);
    expect(JSON.stringify(pool.log.records)).not.toContain('canary');
  };

  test('for a wrong password rejects with 28P01, is not retried and leaves no socket', async () => {
    await rejected({ user: 'postgres', password: 'canary-wrong' }, '28P01');
  });

  test('for a user who does not exist rejects with 28P01, like a wrong password', async () => {
    await rejected({ user: 'nobody', password: 'canary-wrong' }, '28P01');
  });

  test('for a missing line in pg_hba.conf rejects with 28000, and works once the line is there', async () => {
    await server().query("create role unlisted login password 'canary-right'");
    const login = { user: 'unlisted', password: 'canary-right' };
    const restore = await admitOnly('postgres');
    try {
      await until('the new rules hold', async () => {
        const pool = await makePool(server(), { ...login, database: 'postgres' });
        return (await pool.query('select 1').catch(() => undefined)) === undefined;
      });
      await rejected(login, '28000');
    } finally {
      await restore();
    }
    const pool = await makePool(server(), { ...login, database: 'postgres' });
    await until('the old rules hold', () =>
      pool.query('select 1').then(
        () => true,
        () => false,
      ),
    );
  });
});
