import pg from 'pg';
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest';
import { InstrumentedPool, poolClass, type PoolClass, type PoolOptions } from '../../src/index.js';
import { useCleanEnvironment } from '../support/environment.js';
import { RecordingLogger } from '../support/logger.js';
import { usePostgres } from '../support/servers.js';

useCleanEnvironment();
const server = usePostgres();

const pools: InstrumentedPool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

const classOf = (options?: PoolOptions): PoolClass => {
  const { host, port, user, password, database } = server();
  return poolClass(
    { host, port, user, password, database, sslMode: 'disable', maxOpenConns: 2 },
    { logger: new RecordingLogger(), ...options },
  );
};
const opened = (pool: InstrumentedPool): InstrumentedPool => {
  pools.push(pool);
  return pool;
};
const settings = async (pool: InstrumentedPool): Promise<object | undefined> => {
  const { rows } = await pool.query<object>(
    "select current_setting('application_name') as name, current_setting('statement_timeout') as timeout",
  );
  return rows[0];
};

describe('a class from poolClass', () => {
  test('creates pools without arguments, like pg.Pool', async () => {
    const Pool = classOf();
    const pool = opened(new Pool());
    expect(pool).toBeInstanceOf(pg.Pool);
    expect(pool).toBeInstanceOf(InstrumentedPool);
    expect(pool).toBeInstanceOf(Pool);
    expect(pool.constructor.name).toBe(new pg.Pool().constructor.name);
    expectTypeOf(pool).toEqualTypeOf<InstrumentedPool>();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.stat().maxConns).toBe(2);
  });

  test('uses the settings that a tool passes, and its own for those left undefined', async () => {
    const Pool = classOf({ pg: { statement_timeout: 7_000, application_name: 'class' } });
    const given = {
      host: undefined,
      user: undefined,
      ssl: undefined,
      max: 3,
      application_name: 'tool',
      extra: 1,
    };
    const pool = opened(new Pool(given));
    expect(await settings(pool)).toEqual({ name: 'tool', timeout: '7s' });
    expect(pool.stat().maxConns).toBe(3);
    expect(await settings(opened(new Pool(null)))).toEqual({ name: 'class', timeout: '7s' });
  });

  test("logs the names of a tool's unknown settings, and none of their values", () => {
    const logger = new RecordingLogger();
    const Pool = classOf({ logger });
    opened(new Pool({ max: 1 }));
    opened(new Pool({ max: 1, connectionLimit: 4, secret: 'hunter22', extra: undefined } as object));
    const created = logger.records.filter(({ message }) => message === 'postgres connection pool created');
    expect(created.map(({ fields }) => fields['dropped'])).toEqual([
      undefined,
      ['connectionLimit', 'secret'],
    ]);
    expect(JSON.stringify(created)).not.toContain('hunter22');
  });

  test('does not read PG variables for settings that a tool leaves unset', async () => {
    process.env['PGHOST'] = 'nowhere.invalid';
    process.env['PGPASSWORD'] = 'wrong';
    process.env['PGSSLMODE'] = 'require';
    const Pool = classOf();
    expect((await opened(new Pool({ max: 1 })).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('connects to the server in the connection string of a tool', async () => {
    const { host, port, user, password, database } = server();
    const Pool = poolClass(
      { host: 'nowhere.invalid', port: 1, user: 'nobody', database: 'none', sslMode: 'disable' },
      { logger: new RecordingLogger() },
    );
    const connectionString = `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
    expect((await opened(new Pool({ connectionString })).query('select 1 as one')).rows).toEqual([
      { one: 1 },
    ]);
  });

  test("runs its own hooks before the tool's hooks", async () => {
    const calls: string[] = [];
    const { password } = server();
    const Pool = classOf({
      beforeConnect: (target) => {
        calls.push('own before');
        target.password = 'wrong';
      },
      afterConnect: () => void calls.push('own after'),
    });
    const pool = opened(
      new Pool({
        password: () => {
          calls.push('password');
          return password;
        },
        onConnect: () => void calls.push('onConnect'),
      }),
    );
    await pool.query('select 1');
    expect(calls).toEqual(['own before', 'password', 'own after', 'onConnect']);
  });

  test('can be extended', async () => {
    class Mine extends classOf() {
      async one(): Promise<unknown> {
        return (await this.query<{ one: number }>('select 1 as one')).rows[0]?.one;
      }
    }
    const mine = new Mine({ max: 1 });
    opened(mine);
    expect(await mine.one()).toBe(1);
    expect(mine).toBeInstanceOf(Mine);
  });

  test('ignores later changes to the config and options that it was created with', async () => {
    const { host, port, user, password, database } = server();
    const config = { host, port, user, password, database, sslMode: 'disable' as const };
    const options = { logger: new RecordingLogger(), pg: { application_name: 'first' } };
    const Pool = poolClass(config, options);
    config.host = 'nowhere.invalid';
    options.pg.application_name = 'second';
    expect(await settings(opened(new Pool()))).toMatchObject({ name: 'first' });
  });

  test("uses the hosts of its config when a tool passes none, otherwise the tool's host", async () => {
    const { host, port, user, password, database } = server();
    const hosts = [
      { host: '127.0.0.1', port: 1 },
      { host, port },
    ];
    const Pool = poolClass(
      { hosts, user, password, database, sslMode: 'disable' },
      { logger: new RecordingLogger() },
    );
    expect(await settings(opened(new Pool()))).toBeDefined();
    expect(await settings(opened(new Pool({ host, port })))).toBeDefined();
    const dead = opened(new Pool({ host: '127.0.0.1', port: 2 }));
    await expect(settings(dead)).rejects.toMatchObject({ code: 'ECONNREFUSED', port: 2 });
  });

  test('is refused with an invalid config, and refuses invalid settings from a tool', () => {
    expect(() => poolClass({ port: 1 } as never)).toThrow('host is required');
    const Pool = classOf();
    expect(() => new Pool({ host: '/var/run' })).toThrow('host is a unix socket');
    expect(() => new Pool({ min: 9 })).toThrow(
      'invalid configuration: minConns must not be above maxOpenConns',
    );
  });
});
