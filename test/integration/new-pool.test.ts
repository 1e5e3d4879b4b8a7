import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { logValue, newPool, type Config } from '../../src/index.js';
import { useCleanEnvironment } from '../support/environment.js';
import { useFakeServer } from '../support/fake-server.js';
import { RecordingLogger } from '../support/logger.js';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { rejection, until } from '../support/until.js';

useCleanEnvironment();
const server = usePostgres();
const makePool = usePools(server);
const listener = useFakeServer();

const here = (config: Partial<Config> = {}): Config => ({
  host: listener.host,
  port: listener.port,
  user: 'app',
  password: 'canary-password',
  database: 'app',
  ...config,
});

describe('newPool', () => {
  test('succeeds with the server down, and the first query fails', async () => {
    const config = here();
    listener.close();
    try {
      const pool = await newPool(config, { logger: new RecordingLogger() });
      expect(await rejection(pool.query('select 1'))).toMatchObject({
        code: 'ECONNREFUSED',
        port: config.port,
      });
      expect(pool.totalCount).toBe(0);
      await pool.end();
    } finally {
      await listener.listen();
    }
  });

  test('does not dial, and neither does end()', async () => {
    const pool = await newPool(here(), { logger: new RecordingLogger() });
    expect(await listener.dialled()).toBe(0);
    await pool.end();
    expect(await listener.dialled()).toBe(0);
    expect(pool.stat().newConnsCount).toBe(0);
  });

  test('logs one info record with the redacted config, and nothing else', async () => {
    const log = new RecordingLogger();
    const config = here({ migrationPassword: 'canary-migration', sslMode: 'verify-full' });
    const pool = await newPool(config, { logger: log, poolName: 'orders' });
    expect(log.records).toEqual([
      {
        level: 'info',
        message: 'postgres connection pool created',
        fields: { config: logValue(config), pool: 'orders' },
      },
    ]);
    expect(inspect(log.records, { depth: null, showHidden: true })).not.toContain('canary');
    await pool.end();
  });

  test('neither changes nor keeps the config and the options it is given', async () => {
    const { host, port, user, password, database } = server();
    const config = { host, port, user, password, database, sslMode: 'disable' as const, maxOpenConns: 2 };
    const settings = { application_name: 'first' };
    const options = { logger: new RecordingLogger(), pg: settings };
    const before = structuredClone(config);
    const pool = await newPool(config, options);
    expect(config).toEqual(before);
    Object.assign(config, { host: 'nowhere.invalid', port: 1, user: 'nobody', password: 'x', database: 'x' });
    Object.assign(config, { sslMode: 'verify-full', maxOpenConns: 1 });
    settings.application_name = 'second';
    Object.assign(options, { pg: undefined, logger: undefined });

    const { rows } = await pool.query<object>(
      `select current_user, current_database(), current_setting('application_name') as application`,
    );
    expect(rows).toEqual([{ current_user: user, current_database: database, application: 'first' }]);
    expect(pool.stat().maxConns).toBe(2);
    await pool.end();
  });

  test('accepts a frozen config and frozen options', async () => {
    const pool = await makePool(
      server(),
      Object.freeze({ maxOpenConns: 1 }),
      Object.freeze({ pg: Object.freeze({ application_name: 'frozen' }), statsLog: Object.freeze({}) }),
    );
    const { rows } = await pool.query<object>(`select current_setting('application_name') as name`);
    expect(rows).toEqual([{ name: 'frozen' }]);
  });

  test('reads nothing from a __proto__ key', async () => {
    const evil = { sslMode: 'verify-full', maxOpenConns: 1, password: 'evil', beforeConnect: 'evil' };
    const own = (fields: object): object =>
      JSON.parse(`{"__proto__":${JSON.stringify(evil)},${JSON.stringify(fields).slice(1)}`) as object;
    const { host, port, user, password, database } = server();
    const config = own({ host, port, user, password, database, sslMode: 'disable' }) as Config;
    expect(Object.keys(config)).toContain('__proto__');
    const logger = new RecordingLogger();
    const pool = await newPool(config, Object.assign(own({ poolName: 'own' }), { logger }));
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.stat().maxConns).toBe(10);
    expect(({} as { sslMode?: string }).sslMode).toBeUndefined();
    await pool.end();
  });

  test('creates a pool that an abort of its signal does not end, nor its queries', async () => {
    const caller = new AbortController();
    const pool = await makePool(server(), {}, { signal: caller.signal });
    const { rows } = await pool.query('select 1 as one');
    caller.abort();
    expect((await pool.query('select 1 as one')).rows).toEqual(rows);
    const client = await pool.connect();
    const another = await pool.connect();
    client.release();
    another.release();
    expect(pool.ending).toBe(false);
  });

  test('stops filling the pool when its signal is aborted', async () => {
    const caller = new AbortController();
    const attempted: number[] = [];
    const pool = await makePool(
      { host: listener.host, port: listener.port },
      { minConns: 2 },
      {
        signal: caller.signal,
        beforeConnect: () => {
          attempted.push(1);
          caller.abort();
          throw new Error('not now');
        },
      },
    );
    await until('the warm-up has started', () => attempted.length > 0 && pool.totalCount === 0);
    const { length } = attempted;
    // The first retry would come after about half a second.
    await setTimeout(1_200);
    expect(attempted).toHaveLength(length);
  });
});
