import { metrics, trace } from '@opentelemetry/api';
import pg from 'pg';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { copyConfig, type Config } from '../../../src/settings/config.js';
import { ConfigError } from '../../../src/errors.js';
import { resolveOptions } from '../../../src/settings/options.js';

const CONFIG = copyConfig({ host: 'h', port: 5432, user: 'u', database: 'd' });
const resolve = (options?: unknown, config: Partial<Config> = {}) =>
  resolveOptions(options, copyConfig({ ...CONFIG, ...config }));
const ms = (name: string): string => `${name} must be a number of milliseconds from 0 to 2147483647`;

describe('the defaults', () => {
  it.each([undefined, null, {}])('apply to %o', (options) => {
    expect({ ...resolve(options), pg: {} }).toStrictEqual({
      beforeConnect: undefined,
      afterConnect: undefined,
      logger: undefined,
      meter: undefined,
      meterProvider: undefined,
      tracer: undefined,
      tracerProvider: undefined,
      poolName: undefined,
      signal: undefined,
      ssl: undefined,
      connectTimeoutMs: 15_000,
      acquireTimeoutMs: 30_000,
      queryTimeoutMs: 0,
      endTimeoutMs: 0,
      idleTimeoutMs: 1_800_000,
      connMaxLifetimeJitterMs: 360_000,
      maxUses: 0,
      healthCheckPeriodMs: 60_000,
      maxConnecting: 10,
      keepAlive: { initialDelayMs: 10_000 },
      leakDetectionMs: 0,
      acquireSpan: 'auto',
      statsLog: undefined,
      pg: {},
    });
    expect(Object.keys(resolve(options).pg)).toEqual([]);
  });

  it('follow the sizes of the config', () => {
    const { maxConnecting, connMaxLifetimeJitterMs } = resolve(
      {},
      { maxOpenConns: 3, connMaxLifetimeMs: 1005 },
    );
    expect({ maxConnecting, connMaxLifetimeJitterMs }).toEqual({
      maxConnecting: 3,
      connMaxLifetimeJitterMs: 101,
    });
  });

  it('apply to every option that is null or undefined', () => {
    const unset = (value: unknown) => Object.fromEntries(Object.keys(resolve()).map((name) => [name, value]));
    expect(resolve(unset(null))).toStrictEqual(resolve());
    expect(resolve(unset(undefined))).toStrictEqual(resolve());
  });
});

describe('resolveOptions', () => {
  it('keeps what was given', () => {
    const given = {
      beforeConnect: () => undefined,
      afterConnect: () => undefined,
      logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
      meterProvider: metrics.getMeterProvider(),
      tracerProvider: trace.getTracerProvider(),
      poolName: 'orders',
      signal: new AbortController().signal,
      connectTimeoutMs: 1,
      acquireTimeoutMs: 0,
      queryTimeoutMs: 2.5,
      endTimeoutMs: 3,
      idleTimeoutMs: 0,
      connMaxLifetimeJitterMs: 0,
      maxUses: 4,
      healthCheckPeriodMs: 0,
      maxConnecting: 1,
      leakDetectionMs: 2 ** 31 - 1,
      acquireSpan: 'never',
    };
    expect(resolve(given)).toMatchObject(given);
    expect(resolve({ meter: metrics.getMeter('m'), tracer: trace.getTracer('t') })).toMatchObject({
      meter: expect.anything() as unknown,
      tracer: expect.anything() as unknown,
    });
  });

  it('freezes the result and copies what is nested', () => {
    const ca = ['one'];
    const given = { ssl: { ca }, pg: { application_name: 'a' }, statsLog: { intervalMs: 5 } };
    const resolved = resolve(given);
    ca.push('two');
    given.pg.application_name = 'b';
    given.statsLog.intervalMs = 6;
    expect(resolved).toMatchObject({
      ssl: { ca: ['one'] },
      pg: { application_name: 'a' },
      statsLog: { intervalMs: 5 },
    });
    for (const part of [
      resolved,
      resolved.ssl,
      resolved.ssl?.ca,
      resolved.pg,
      resolved.statsLog,
      resolved.keepAlive,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it.each<[unknown, unknown]>([
    [false, undefined],
    [true, { intervalMs: 0 }],
    [{}, { intervalMs: 0 }],
    [{ intervalMs: 0 }, { intervalMs: 0 }],
    [{ intervalMs: 7 }, { intervalMs: 7 }],
  ])('normalises statsLog %o', (statsLog, expected) => {
    expect(resolve({ statsLog }).statsLog).toEqual(expected);
  });

  it.each<[unknown, unknown]>([
    [false, undefined],
    [true, { initialDelayMs: 10_000 }],
    [{}, { initialDelayMs: 10_000 }],
    [{ initialDelayMs: 0 }, { initialDelayMs: 0 }],
    [{ initialDelayMs: 7 }, { initialDelayMs: 7 }],
  ])('normalises keepAlive %o', (keepAlive, expected) => {
    expect(resolve({ keepAlive }).keepAlive).toEqual(expected);
  });

  it('accepts the whole allow-list of the driver', () => {
    const settings = {
      application_name: 'a',
      fallback_application_name: 'b',
      statement_timeout: 1,
      lock_timeout: false,
      idle_in_transaction_session_timeout: 2,
      options: '-c search_path=x',
      types: pg.types,
      client_encoding: 'utf8',
      enableChannelBinding: true,
      scramMaxIterations: 0,
    };
    expect({ ...resolve({ pg: settings }).pg }).toEqual(settings);
  });

  const timeouts = [
    ...['connectTimeoutMs', 'acquireTimeoutMs', 'queryTimeoutMs', 'endTimeoutMs', 'idleTimeoutMs'],
    ...['connMaxLifetimeJitterMs', 'healthCheckPeriodMs', 'leakDetectionMs'],
  ];
  const refusedTimes = [-1, NaN, Infinity, 2 ** 31, '5', true];
  const method = { getMeter: () => undefined, getTracer: () => undefined, startSpan: () => undefined };
  const meter = { createHistogram: () => undefined, createObservableCounter: () => undefined };

  it.each<[unknown, string]>([
    ['text', 'options must be an object'],
    [[], 'options must be an object'],
    [{ conectTimeoutMs: 1 }, 'unknown key "conectTimeoutMs" in options'],
    [{ max: undefined }, 'unknown key "max" in options'],
    ...timeouts.flatMap((name) =>
      refusedTimes.map((value): [unknown, string] => [{ [name]: value }, ms(name)]),
    ),
    [{ connectTimeoutMs: 0 }, 'connectTimeoutMs must be above 0 and at most 2147483647: it cannot be off'],
    ...[-1, 1.5, NaN, Infinity, 2 ** 31, '5'].map((maxUses): [unknown, string] => [
      { maxUses },
      'maxUses must be a whole number from 0 to 2147483647',
    ]),
    ...[0, 1.5, NaN, '5'].map((maxConnecting): [unknown, string] => [
      { maxConnecting },
      'maxConnecting must be a whole number from 1 to 2147483647',
    ]),
    [{ beforeConnect: {} }, 'beforeConnect must be a function'],
    [{ afterConnect: 'x' }, 'afterConnect must be a function'],
    [{ logger: {} }, 'logger must have these functions: debug, info, warn'],
    [{ logger: { debug() {}, info() {} } }, 'logger must have these functions: debug, info, warn'],
    [{ logger: 'x' }, 'logger must have these functions: debug, info, warn'],
    [{ meter: {} }, 'meter must have these functions: createHistogram, createObservableCounter'],
    [{ meterProvider: {} }, 'meterProvider must have these functions: getMeter'],
    [{ tracer: {} }, 'tracer must have these functions: startSpan'],
    [{ tracerProvider: {} }, 'tracerProvider must have these functions: getTracer'],
    [
      { meter, meterProvider: method },
      'meter and meterProvider are mutually exclusive: give the one that is to be used',
    ],
    [
      { tracer: method, tracerProvider: method },
      'tracer and tracerProvider are mutually exclusive: give the one that is to be used',
    ],
    [{ poolName: 1 }, 'poolName must be a string'],
    [{ poolName: 'a\nb' }, 'poolName must not contain control characters'],
    [{ signal: {} }, 'signal must be an AbortSignal'],
    [{ signal: new AbortController() }, 'signal must be an AbortSignal'],
    [{ acquireSpan: 'sometimes' }, 'acquireSpan must be one of auto, always, never'],
    [{ statsLog: 5 }, 'statsLog must be true, false or { intervalMs }'],
    [{ statsLog: { interval: 5 } }, 'unknown key "interval" in statsLog'],
    [{ statsLog: { intervalMs: -1 } }, ms('statsLog.intervalMs')],
    [{ keepAlive: 5 }, 'keepAlive must be true, false or { initialDelayMs }'],
    [{ keepAlive: { initialDelayMs: NaN } }, ms('keepAlive.initialDelayMs')],
    [{ ssl: true }, 'ssl must be an object'],
    [{ ssl: 'require' }, 'ssl must be an object'],
    [
      { ssl: { rejectUnauthorized: false } },
      'ssl.rejectUnauthorized is refused: sslMode says what is verified',
    ],
    [
      { ssl: { rejectUnauthorized: true } },
      'ssl.rejectUnauthorized is refused: sslMode says what is verified',
    ],
    [
      { ssl: { checkServerIdentity: () => undefined } },
      'ssl.checkServerIdentity is refused: sslMode says what is verified',
    ],
    [{ ssl: { ciphers: 'NULL' } }, 'unknown key "ciphers" in ssl'],
    [{ ssl: { ca: '' } }, 'ssl.ca must not be empty'],
    [{ ssl: { ca: [''] } }, 'ssl.ca must not be empty'],
    [{ ssl: { ca: 5 } }, 'ssl.ca must be PEM text, as a string or Buffer'],
    [{ ssl: { cert: 'c' } }, 'ssl.cert and ssl.key must be given together'],
    [{ ssl: { key: 'k' } }, 'ssl.cert and ssl.key must be given together'],
    [{ ssl: { cert: '', key: 'k' } }, 'ssl.cert must not be empty'],
    [{ ssl: { cert: 'c', key: {} } }, 'ssl.key must be PEM text, as a string or Buffer'],
    [{ ssl: { passphrase: 5 } }, 'ssl.passphrase must be a string'],
    [{ ssl: { servername: '' } }, 'ssl.servername must not be empty'],
    [{ ssl: { servername: 5 } }, 'ssl.servername must be a string'],
    [{ ssl: { servername: 'a\0b' } }, 'ssl.servername must not contain control characters'],
    [{ ssl: { minVersion: 'TLSv1' } }, 'ssl.minVersion must be one of TLSv1.2, TLSv1.3'],
    [{ pg: 'x' }, 'pg must be an object'],
    [{ pg: { queryMode: 'extended' } }, 'unknown key "queryMode" in pg'],
    [{ pg: { application_name: 'a\0user\0postgres' } }, 'pg.application_name must not contain NUL'],
    [{ pg: { fallback_application_name: '\0' } }, 'pg.fallback_application_name must not contain NUL'],
    [{ pg: { options: '\0' } }, 'pg.options must not contain NUL'],
    [{ pg: { client_encoding: 5 } }, 'pg.client_encoding must be a string'],
    [{ pg: { statement_timeout: '5s' } }, ms('pg.statement_timeout')],
    [{ pg: { lock_timeout: -1 } }, ms('pg.lock_timeout')],
    [{ pg: { idle_in_transaction_session_timeout: true } }, ms('pg.idle_in_transaction_session_timeout')],
    [{ pg: { types: {} } }, 'pg.types must have a getTypeParser function'],
    [{ pg: { enableChannelBinding: 1 } }, 'pg.enableChannelBinding must be true or false'],
    [{ pg: { scramMaxIterations: -1 } }, 'pg.scramMaxIterations must be a whole number from 0 to 2147483647'],
  ])('refuses %o', (options, message) => {
    expect(() => resolve(options)).toThrow(new ConfigError(message));
  });

  it.each<[string, string]>([
    ['host', 'set host in the config'],
    ['port', 'set port in the config'],
    ['user', 'set user in the config'],
    ['password', 'set password in the config'],
    ['database', 'set database in the config'],
    ['connectionString', 'set host, port, user, password and database in the config'],
    ['sslmode', 'set sslMode in the config'],
    ['ssl', 'use the option ssl'],
    ['max', 'set maxOpenConns in the config'],
    ['poolSize', 'set maxOpenConns in the config'],
    ['min', 'set minConns in the config'],
    ['maxLifetimeSeconds', 'set connMaxLifetimeMs in the config'],
    ['maxUses', 'use the option maxUses'],
    ['connectionTimeoutMillis', 'use the option connectTimeoutMs'],
    ['connect_timeout', 'use the option connectTimeoutMs'],
    ['idleTimeoutMillis', 'use the option idleTimeoutMs'],
    ['query_timeout', 'use the option queryTimeoutMs'],
    ['keepAlive', 'use the option keepAlive'],
    ['keepAliveInitialDelayMillis', 'use the option keepAlive'],
    ['allowExitOnIdle', 'idle connections never keep the process alive'],
    ['onConnect', 'use the option afterConnect'],
    ['verify', 'use the option afterConnect'],
    ['log', 'use the option logger'],
    ['stream', 'each connection attempt makes its own'],
    ['connection', 'each connection attempt makes its own'],
    ['Client', 'the pool watches clients of the pg package'],
    ['Promise', 'the pool uses native promises'],
    ['pipeline', 'the pool depends on the ordinary protocol'],
    ['replication', 'the pool depends on the ordinary protocol'],
    ['sslnegotiation', 'the pool depends on the ordinary protocol'],
    ['binary', 'the pool depends on the ordinary protocol'],
  ])('refuses pg.%s and says why', (name, reason) => {
    expect(() => resolve({ pg: { [name]: 'x' } })).toThrow(
      new ConfigError(`pg.${name} is refused: ${reason}`),
    );
  });

  it('refuses ssl without encryption', () => {
    expect(() => resolve({ ssl: { ca: 'x' } }, { sslMode: 'disable' })).toThrow(
      new ConfigError('ssl is given but sslMode is disable: use require or stronger'),
    );
  });

  it('copies Buffers, and shows neither key nor passphrase', () => {
    const key = Buffer.from('canary-key');
    const { ssl } = resolve({
      ssl: { ca: Buffer.from('root'), cert: 'cert', key, passphrase: 'canary-phrase' },
    });
    key.fill(0);
    expect(ssl).toMatchObject({ ca: ['root'], cert: 'cert' });
    expect(ssl?.key).toBe('canary-key');
    expect(ssl?.passphrase).toBe('canary-phrase');
    expect(inspect(ssl) + JSON.stringify(ssl)).not.toContain('canary');
  });

  it('takes nothing from a prototype and ignores a __proto__ key', () => {
    expect(resolve(JSON.parse('{"__proto__": {"maxUses": 5}}')).maxUses).toBe(0);
    expect(resolve(Object.create({ maxUses: 5 })).maxUses).toBe(0);
  });
});
