import { inspect } from 'node:util';
import fc from 'fast-check';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromPgConfig, newPoolSync, type InstrumentedPool } from '../../../src/index.js';
import { RecordingLogger } from '../../support/logger.js';

const VARIABLES = [
  ...['PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGPASSWORD', 'PGAPPNAME', 'PGOPTIONS', 'PGSSLMODE'],
  ...['PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY', 'PGCLIENT_ENCODING', 'USER', 'USERNAME'],
];
const { user: systemUser } = pg.defaults;
let before: Record<string, string | undefined> = {};
beforeEach(() => {
  before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  setEnv({});
  // The driver read it from the environment when it was loaded.
  pg.defaults.user = 'login';
});
afterEach(() => {
  setEnv(before);
  Object.assign(pg.defaults, { user: systemUser });
});

function setEnv(variables: Record<string, string | undefined>): void {
  for (const name of VARIABLES) {
    const value = variables[name];
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}

type Given = pg.PoolConfig & Record<string, unknown>;
const LOGIN: Given = { host: 'db.example', user: 'app', database: 'shop' };
const translated = (given: object) => fromPgConfig({ ...LOGIN, ...given });
const refusal = (given: unknown): string => {
  try {
    fromPgConfig(given as pg.PoolConfig);
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_PGAUGE_CONFIG' });
    return (error as Error).message;
  }
  return 'accepted';
};

describe('fromPgConfig: host and login', () => {
  const TEXT = fc.string({
    unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-', '_', '.', ' ', 'ü', 'ñ'),
    minLength: 1,
    maxLength: 12,
  });
  const NAME = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const PORT = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 }).map(String));
  const optional = <T>(what: fc.Arbitrary<T>) => fc.option(what, { nil: undefined });

  const url = fc
    .record({
      user: optional(TEXT),
      password: optional(TEXT),
      host: fc.oneof(NAME, fc.constant('[::1]'), fc.constant('127.0.0.1'), fc.constant('')),
      port: optional(fc.integer({ min: 1, max: 65_535 })),
      database: optional(NAME),
      query: fc.dictionary(
        fc.constantFrom(
          'host',
          'port',
          'user',
          'password',
          'application_name',
          'statement_timeout',
          'options',
        ),
        fc.integer({ min: 1, max: 60_000 }).map(String),
        { maxKeys: 3 },
      ),
      ssl: optional(
        fc.constantFrom(
          ...['sslmode=disable', 'sslmode=no-verify', 'sslmode=verify-full', 'ssl=true', 'ssl=0'],
          ...['sslmode=require&uselibpqcompat=true', 'ssl=no-verify'],
        ),
      ),
    })
    .map(({ user, password, host, port, database, query, ssl }) => {
      const encoded = encodeURIComponent;
      const login =
        user === undefined ? '' : encoded(user) + (password === undefined ? '' : `:${encoded(password)}`);
      // Without a host there can be neither a login nor a port.
      const at =
        host === '' ? '' : `${login === '' ? '' : `${login}@`}${host}${port === undefined ? '' : `:${port}`}`;
      const parameters = [new URLSearchParams(query).toString(), ssl ?? '']
        .filter((part) => part !== '')
        .join('&');
      return `postgres://${at}/${database ?? ''}${parameters === '' ? '' : `?${parameters}`}`;
    });

  const config = fc.record(
    {
      host: NAME,
      port: PORT,
      user: TEXT,
      password: TEXT,
      database: NAME,
      connectionString: url,
      ssl: fc.constantFrom<unknown>(true, false, {}, { rejectUnauthorized: false }),
      application_name: TEXT,
      fallback_application_name: TEXT,
      options: fc.constantFrom('-c search_path=app'),
      // As a text, 0 is sent to the server; as a number it means no timeout.
      statement_timeout: fc.oneof(
        fc.nat(9_999),
        fc.constant(false),
        fc.integer({ min: 1, max: 9_999 }).map(String),
      ),
      lock_timeout: fc.oneof(fc.nat(9_999), fc.constant(false)),
      client_encoding: fc.constantFrom('UTF8', ''),
      max: fc.integer({ min: 0, max: 50 }),
    },
    { requiredKeys: [] },
  );
  const environment = fc.record(
    {
      PGHOST: NAME,
      PGPORT: fc.integer({ min: 1, max: 65_535 }).map(String),
      PGUSER: TEXT,
      PGDATABASE: NAME,
      PGPASSWORD: TEXT,
      PGAPPNAME: TEXT,
      PGSSLMODE: fc.constantFrom('disable', 'require', 'no-verify', 'nonsense'),
    },
    { requiredKeys: [] },
  );

  /** The content of a client's first message, and the address to which it would send it. */
  const facts = (client: pg.Client): object => {
    const { host, port, user, database, password, ssl } = client as unknown as Record<string, unknown>;
    const startup = (client as unknown as { getStartupConf(): object }).getStartupConf();
    const verified =
      typeof ssl === 'object' && ssl !== null && 'rejectUnauthorized' in ssl ? ssl.rejectUnauthorized : true;
    return { host, port, user, database, password: password ?? '', tls: Boolean(ssl), verified, startup };
  };

  const pools: InstrumentedPool[] = [];
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.end();
  });

  it('are the same as for a client of node-postgres with that config, URL and environment', async () => {
    await fc.assert(
      fc.asyncProperty(config, environment, async (given, env) => {
        setEnv(env);
        const theirs = new pg.Client(given as pg.ClientConfig);
        // Skip names that a Config always refuses.
        fc.pre(/^[^\s?#/]+$/.test((theirs as unknown as { database: string }).database));
        const { config: ourConfig, options } = fromPgConfig(given as pg.PoolConfig);
        const pool = newPoolSync(ourConfig, { ...options, logger: new RecordingLogger() });
        pools.push(pool);
        const password = await (pool.options.password as () => Promise<string>)();
        const ours = new pg.Client({ ...pool.options, password });
        expect(facts(ours)).toEqual(facts(theirs));
        await pool.end();
      }),
      { numRuns: 300 },
    );
  });

  it('come from the environment if the settings leave them unset', () => {
    setEnv({
      PGHOST: 'env.example',
      PGPORT: '6000',
      PGUSER: 'env',
      PGDATABASE: 'envdb',
      PGPASSWORD: 'envword',
    });
    const { config: made } = fromPgConfig({});
    expect({ ...made }).toEqual({
      ...{ host: 'env.example', port: 6000, user: 'env', database: 'envdb', password: 'envword' },
      sslMode: 'disable',
    });
  });

  it('do not print the password', () => {
    const made = translated({
      password: 'canary',
      ssl: { ca: 'x', cert: 'x', key: 'canary', passphrase: 'canary' },
    });
    expect(inspect(made, { depth: 9 }) + JSON.stringify(made)).not.toContain('canary');
    expect(made.config.password).toBe('canary');
    expect(made.options.ssl?.key).toBe('canary');
  });

  it('are read from the options of a pg.Pool, in which password and key are hidden', () => {
    const given = { ...LOGIN, password: 'word', ssl: { cert: 'c', key: 'k' } };
    const pool = new pg.Pool(given);
    expect(fromPgConfig(pool.options).config.password).toBe('word');
    expect(fromPgConfig(given).options.ssl?.key).toBe('k');
  });
});

describe('fromPgConfig: sizes and limits', () => {
  it.each<[object, object]>([
    [{ max: 20 }, { maxOpenConns: 20 }],
    [{ max: '20' }, { maxOpenConns: 20 }],
    [{ max: 0, poolSize: 9 }, { maxOpenConns: 9 }],
    [{ min: 2 }, { minConns: 2 }],
    [{ maxLifetimeSeconds: 60 }, { connMaxLifetimeMs: 60_000 }],
    [{ maxLifetimeSeconds: 0.5 }, { connMaxLifetimeMs: 500 }],
    [{ maxLifetimeSeconds: 0 }, { connMaxLifetimeMs: 2 ** 31 - 1 }],
  ])('%o become the config %o', (given, wanted) => {
    expect({ ...translated(given).config }).toEqual({
      ...{ host: 'db.example', port: 5432, user: 'app', database: 'shop', sslMode: 'disable' },
      ...wanted,
    });
  });

  it.each<[object, object]>([
    [{ idleTimeoutMillis: 500 }, { idleTimeoutMs: 500 }],
    [{ idleTimeoutMillis: '500' }, { idleTimeoutMs: 500 }],
    [{ idleTimeoutMillis: 0 }, { idleTimeoutMs: 0 }],
    [{ idleTimeoutMillis: null }, { idleTimeoutMs: 0 }],
    [{ connectionTimeoutMillis: 5_000 }, { acquireTimeoutMs: 5_000, connectTimeoutMs: 5_000 }],
    [{ connectionTimeoutMillis: 0 }, { acquireTimeoutMs: 0 }],
    [{ maxUses: 7_500 }, { maxUses: 7_500 }],
    [{ maxUses: Infinity }, { maxUses: 0 }],
    [{ query_timeout: 900 }, { queryTimeoutMs: 900 }],
    [{ query_timeout: false }, {}],
    [{ keepAlive: false }, { keepAlive: false }],
    [{ keepAlive: true }, { keepAlive: { initialDelayMs: 0 } }],
    [{ keepAlive: true, keepAliveInitialDelayMillis: 30 }, { keepAlive: { initialDelayMs: 30 } }],
    [{ allowExitOnIdle: true }, {}],
    [{ statement_timeout: 50 }, { pg: { statement_timeout: 50 } }],
    [{ enableChannelBinding: true }, { pg: { enableChannelBinding: true } }],
    [{ types: pg.types }, { pg: { types: pg.types } }],
    [{ Client: pg.Client, Promise, stream: undefined, pipeline: false, binary: false }, {}],
  ])('%o become the options %o', (given, wanted) => {
    expect(translated(given).options).toEqual({ pg: {}, ...wanted });
  });

  it('are read back from the options of a pg.Pool', () => {
    const theirs = new pg.Pool({ ...LOGIN, max: 3, idleTimeoutMillis: 7, maxUses: 5 });
    const { config: made, options, dropped } = fromPgConfig(theirs.options);
    expect({ ...made, ...options, dropped }).toMatchObject({
      maxOpenConns: 3,
      idleTimeoutMs: 7,
      maxUses: 5,
      dropped: [],
    });
  });
});

describe('fromPgConfig: ssl', () => {
  const none = (): undefined => undefined;
  it.each<[unknown, string, object | undefined]>([
    [undefined, 'disable', undefined],
    [false, 'disable', undefined],
    [true, 'verify-full', undefined],
    ['true', 'verify-full', undefined],
    [{}, 'verify-full', undefined],
    [{ rejectUnauthorized: true }, 'verify-full', undefined],
    ['no-verify', 'require', undefined],
    [{ rejectUnauthorized: false }, 'require', undefined],
    [{ rejectUnauthorized: false, ca: 'PEM' }, 'require', undefined],
    [{ require: true, rejectUnauthorized: false }, 'require', undefined],
    [{ ca: 'PEM' }, 'verify-full', { ca: 'PEM' }],
    [{ ca: 'PEM', checkServerIdentity: none }, 'verify-ca', { ca: 'PEM' }],
    [
      { servername: 'other', minVersion: 'TLSv1.3' },
      'verify-full',
      { servername: 'other', minVersion: 'TLSv1.3' },
    ],
  ])('%o is the mode %s', (ssl, mode, added) => {
    const { config, options } = translated({ ssl });
    expect(config.sslMode).toBe(mode);
    expect(options.ssl).toEqual(added);
  });

  it.each<[string, string]>([
    ['sslmode=disable', 'disable'],
    ['sslmode=no-verify', 'require'],
    ['sslmode=verify-full', 'verify-full'],
    ['sslmode=require', 'verify-full'],
    ['sslmode=require&uselibpqcompat=true', 'require'],
    ['ssl=true', 'verify-full'],
    ['ssl=1', 'verify-full'],
    ['ssl=0', 'disable'],
  ])('of a URL with %s is the mode %s, as node-postgres reads it', (query, mode) => {
    const connectionString = `postgres://app:word@db.example/shop?${query}`;
    expect(fromPgConfig({ connectionString }).config.sslMode).toBe(mode);
  });
});

describe('fromPgConfig: functions', () => {
  const target = { host: 'h', port: 1, user: 'u', password: '', database: 'd', ssl: false as const };
  const context = { signal: new AbortController().signal, refreshToken: () => Promise.resolve('') };

  it('that return a password become beforeConnect', async () => {
    const asked: unknown[] = [];
    const { config, options } = translated({
      password: (of: object) => {
        asked.push({ ...of });
        return Promise.resolve('fresh');
      },
    });
    expect(config.password).toBeUndefined();
    const at = { ...target };
    await options.beforeConnect?.(at, context);
    expect(at.password).toBe('fresh');
    expect(asked).toEqual([target]);
  });

  it('that return a password that is not a string fail the attempt with the message of node-postgres', async () => {
    const { options } = translated({ password: () => 7 });
    await expect(async () => options.beforeConnect?.({ ...target }, context)).rejects.toThrow(
      'Password must be a string',
    );
  });

  it('onConnect and verify become afterConnect, in this order', async () => {
    const calls: string[] = [];
    const { options } = translated({
      verify: (_client: unknown, done: () => void) => {
        calls.push('verify');
        done();
      },
      onConnect: async () => {
        await Promise.resolve();
        calls.push('onConnect');
      },
    });
    await options.afterConnect?.(new pg.Client() as pg.PoolClient, context);
    expect(calls).toEqual(['onConnect', 'verify']);
    const refusing = translated({
      verify: (_client: unknown, done: (error: Error) => void) => done(new Error('nope')),
    });
    await expect(async () =>
      refusing.options.afterConnect?.(new pg.Client() as pg.PoolClient, context),
    ).rejects.toThrow('nope');
  });

  it('log becomes a logger that passes the message first', () => {
    const said: unknown[] = [];
    const { options } = translated({ log: (...messages: unknown[]) => said.push(messages) });
    options.logger?.warn({ reason: 'idle' }, 'text');
    expect(said).toEqual([['text', { reason: 'idle' }]]);
  });
});

describe('fromPgConfig: a setting unknown to node-postgres', () => {
  it('is dropped and named', () => {
    const { dropped, config } = translated({
      connectionLimit: 5,
      ssl: { require: true, rejectUnauthorized: false },
      idle_timeout: 3,
      undefinedKey: undefined,
    });
    expect(dropped).toEqual(['connectionLimit', 'idle_timeout', 'ssl.require']);
    expect(config.sslMode).toBe('require');
  });

  it('is dropped and named in a URL, too', () => {
    const url =
      'postgres://a:b@h/d?schema=public&connection_limit=5&sslmode=disable&application_name=x&max=3';
    const made = fromPgConfig({ connectionString: url });
    expect(made.dropped).toEqual([
      ...['connectionString?schema', 'connectionString?connection_limit', 'connectionString?max'],
    ]);
    expect(made.options.pg).toEqual({ application_name: 'x' });
  });
});

describe('fromPgConfig refuses', () => {
  it('no user at all', () => {
    Object.assign(pg.defaults, { user: undefined });
    expect(refusal({ host: 'h', database: 'd' })).toMatch(/^user is required/);
  });

  it.each<[string, unknown, RegExp]>([
    ['a URL instead of settings', 'postgres://h/d', /^poolConfig must be an object.*connectionString/],
    ['nothing', undefined, /^poolConfig must be an object/],
    ['a stream', { ...LOGIN, stream: {} }, /^stream must be a function/],
    ['a connection', { ...LOGIN, connection: {} }, /^connection is refused: .*onConnect/],
    ['another client', { ...LOGIN, Client: Object }, /^Client is refused: .*onConnect/],
    ['another Promise', { ...LOGIN, Promise: Object }, /^Promise is refused/],
    ['pipelining', { ...LOGIN, pipeline: true }, /^pipeline is refused/],
    ['the binary format', { ...LOGIN, binary: true }, /^binary is refused/],
    ['replication', { ...LOGIN, replication: 'database' }, /^replication is refused: .*pg\.Client/],
    [
      'replication in a URL',
      { connectionString: 'postgres://a@h/d?replication=database' },
      /^replication is refused/,
    ],
    ['a unix socket', { ...LOGIN, host: '/var/run/postgresql' }, /^host is a unix socket/],
    ['a unix socket in a URL', { connectionString: 'postgres://a@%2Fvar%2Frun/d' }, /^host is a unix socket/],
    [
      'the URL of a unix socket',
      { connectionString: 'socket:/var/run?db=x', user: 'a' },
      /^host is a unix socket/,
    ],
    ['an invalid port', { ...LOGIN, port: 'abc' }, /^port must be between 1 and 65535/],
    [
      'a URL that cannot be parsed',
      { connectionString: 'postgres://canary:canary@h:port/d' },
      /^node-postgres cannot use/,
    ],
    ['a URL that is not a string', { connectionString: 7 }, /^connectionString must be a string/],
    ['ssl as a string', { connectionString: 'postgres://a@h/d?ssl=require' }, /^ssl must be true.*sslmode/],
    [
      'a check of names',
      { ...LOGIN, ssl: { checkServerIdentity: () => new Error('no') } },
      /^ssl.checkServerIdentity is refused/,
    ],
    [
      'a check of fingerprints',
      {
        ...LOGIN,
        ssl: { checkServerIdentity: (_: string, c: { fingerprint: string }) => c.fingerprint.length },
      },
      /^ssl.checkServerIdentity is refused/,
    ],
    ['a pfx', { ...LOGIN, ssl: { pfx: 'x' } }, /^ssl.pfx is refused: .*beforeConnect/],
    ['a size in words', { ...LOGIN, max: 'many' }, /^max must be a number/],
    ['a negative size', { ...LOGIN, max: -1 }, /^max must be a whole number/],
    ['a time in words', { ...LOGIN, statement_timeout: '5s' }, /^statement_timeout must be a number/],
    [
      'a lifetime that no timer keeps',
      { ...LOGIN, maxLifetimeSeconds: 1e9 },
      /^maxLifetimeSeconds must be from 0 to/,
    ],
    ['an onConnect that is not a function', { ...LOGIN, onConnect: 7 }, /^onConnect must be a function/],
  ])('%s', (_what, given, text) => {
    expect(refusal(given)).toMatch(text);
    expect(refusal(given)).not.toContain('canary');
  });
});
