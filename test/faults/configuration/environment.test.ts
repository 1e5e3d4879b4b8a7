import { describe, expect, test } from 'vitest';
import { createCa } from '../../../local-rds/index.js';
import type { Config, SslMode } from '../../../src/index.js';
import { runScript } from '../../support/child.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { loginFacts, NUMBERS } from '../../support/login-facts.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { TempCopy } from '../../support/temp-copy.js';

useCleanEnvironment();
const ca = await createCa();
const { certPem, keyPem } = await ca.issue({ dnsNames: ['localhost'] });
const server = usePostgres({ ssl: { cert: certPem, key: keyPem } });
const makePool = usePools(server);

/** The config of the child processes. */
const config = (sslMode: SslMode): Config => {
  const { host, port, user, password, database } = server();
  return { host, port, user, password, database, sslMode };
};
const facts = (sslMode: SslMode, application = '') => ({
  user: 'postgres',
  database: 'postgres',
  ssl: sslMode !== 'disable',
  backend: 'client backend',
  application,
  numbers: NUMBERS,
});

const HOSTILE: Readonly<Record<string, string>> = {
  PGHOST: 'nowhere.invalid',
  PGHOSTADDR: '192.0.2.1',
  PGPORT: '1',
  PGUSER: 'nobody',
  PGDATABASE: 'nothing',
  PGPASSWORD: 'wrong',
  PGSSLMODE: 'verify-full',
  PGSSLNEGOTIATION: 'direct',
  PGREPLICATION: 'database',
  PGBINARY: 'true',
  PGCONNECT_TIMEOUT: '-1',
  PGCLIENT_ENCODING: 'LATIN1',
  PGCLIENTENCODING: 'LATIN1',
  PGTZ: 'nonsense',
  PGDATESTYLE: 'nonsense',
  PGSERVICE: 'nonsense',
  PGREQUIRESSL: '1',
  PGGSSENCMODE: 'require',
  PGCHANNELBINDING: 'require',
  PGTARGETSESSIONATTRS: 'read-only',
};

describe.each<SslMode>(['disable', 'require'])('an explicit config, sslMode %s,', (sslMode) => {
  test.each([
    ...Object.entries(HOSTILE),
    ['PGSSLMODE', 'disable'],
    ['PGSSLMODE', 'no-verify'],
    ['PGSSLNEGOTIATION', 'nonsense'],
    ['PGREPLICATION', 'true'],
  ])('is not changed by %s=%s', async (name, value) => {
    setEnv({ [name]: value });
    expect(await loginFacts(await makePool(server(), { sslMode }))).toEqual(facts(sslMode));
  });

  test('is not changed by all of these variables together, set before the process starts', async () => {
    const script = new URL('../../support/scripts/login.ts', import.meta.url);
    const env = { ...HOSTILE, NODE_PG_FORCE_NATIVE: '1' };
    const { lines, stderr } = await runScript(script, [JSON.stringify(config(sslMode))], { env }).result;
    expect(stderr).toBe('');
    // The application's own setting is restored for other code that loads the driver.
    expect(JSON.parse(lines.join('') || 'null')).toEqual({ ...facts(sslMode), forced: '1' });
  });
});

describe('a setting without a field in the config', () => {
  test('comes from PGAPPNAME and PGOPTIONS, as in every client', async () => {
    setEnv({ PGAPPNAME: 'from-environment', PGOPTIONS: '-c work_mem=1MB' });
    const pool = await makePool(server());
    expect((await loginFacts(pool)).application).toBe('from-environment');
    expect((await pool.query('show work_mem')).rows).toEqual([{ work_mem: '1MB' }]);
  });

  test('comes from the options when they set it', async () => {
    setEnv({ PGAPPNAME: 'from-environment', PGOPTIONS: '-c work_mem=1MB' });
    const pool = await makePool(
      server(),
      {},
      { pg: { application_name: 'from-options', options: '-c work_mem=2MB' } },
    );
    expect((await loginFacts(pool)).application).toBe('from-options');
    expect((await pool.query('show work_mem')).rows).toEqual([{ work_mem: '2MB' }]);
  });
});

describe('with the native binding installed', () => {
  // The real one needs libpq. pg only subclasses its export, when the first client is made, so a class is enough.
  const STUB = 'module.exports = class Native {};';
  const PROGRAM = `
    const [config, first] = process.argv.slice(2);
    if (first) await import(first);
    const { default: pg } = first ? await import(first) : {};
    const { newPool } = await import('./src/index.js');
    const logger = { debug() {}, info() {}, warn() {} };
    const pool = await newPool(JSON.parse(config), { logger }).catch((error) => error);
    const native = pg?.Client.toString().includes('new Native(');
    const said = { native, forced: process.env.NODE_PG_FORCE_NATIVE, code: pool.code, message: pool.message };
    if (!(pool instanceof Error)) said.rows = (await pool.query('select 1 as one')).rows;
    console.log(JSON.stringify(said));
    await pool.end?.();`;

  const run = async (first: string, env: Record<string, string>): Promise<unknown> => {
    // Copies the driver's own files, so that its `require('pg-native')` resolves here.
    const copy = new TempCopy({
      copied: ['pg'],
      linked: ['pg-pool', 'pg-protocol', 'pg-types', 'pg-connection-string', 'pino', '@opentelemetry/api'],
    });
    copy.write(
      'node_modules/pg-native/package.json',
      '{"name":"pg-native","version":"3.0.0","main":"index.js"}',
    );
    copy.write('node_modules/pg-native/index.js', STUB);
    const { lines, stderr } = await copy.run(PROGRAM, [JSON.stringify(config('disable')), first], env);
    expect(stderr).toBe('');
    return JSON.parse(lines.join('') || 'null') as unknown;
  };

  test('a pool uses the JavaScript client although NODE_PG_FORCE_NATIVE is set', async () => {
    expect(await run('', { NODE_PG_FORCE_NATIVE: '1' })).toEqual({ forced: '1', rows: [{ one: 1 }] });
  });

  test('a native client that the application loaded first is refused', async () => {
    expect(await run('pg', { NODE_PG_FORCE_NATIVE: '1' })).toEqual({
      native: true,
      forced: '1',
      code: 'ERR_PGAUGE_CONFIG',
      message:
        'invalid configuration: pg was loaded with its native binding (NODE_PG_FORCE_NATIVE), which is not supported',
    });
  });

  test('the JavaScript client that the application loaded first is used', async () => {
    expect(await run('pg', {})).toEqual({ native: false, rows: [{ one: 1 }] });
  });
});
