import pg from 'pg';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { applicationName, pgSettings } from '../../../src/settings/driver-settings.js';

const ms = (name: string): string => `${name} must be a number of milliseconds from 0 to 2147483647`;

describe('the option pg', () => {
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
    expect({ ...pgSettings(settings) }).toEqual(settings);
  });

  it.each<[unknown, string]>([
    ['x', 'pg must be an object'],
    [{ queryMode: 'extended' }, 'unknown key "queryMode" in pg'],
    [{ application_name: 'a\0user\0postgres' }, 'pg.application_name must not contain NUL'],
    [{ fallback_application_name: '\0' }, 'pg.fallback_application_name must not contain NUL'],
    [{ options: '\0' }, 'pg.options must not contain NUL'],
    [{ client_encoding: 5 }, 'pg.client_encoding must be a string'],
    [{ statement_timeout: '5s' }, ms('pg.statement_timeout')],
    [{ lock_timeout: -1 }, ms('pg.lock_timeout')],
    [{ idle_in_transaction_session_timeout: true }, ms('pg.idle_in_transaction_session_timeout')],
    [{ types: {} }, 'pg.types must have a getTypeParser function'],
    [{ enableChannelBinding: 1 }, 'pg.enableChannelBinding must be true or false'],
    [{ scramMaxIterations: -1 }, 'pg.scramMaxIterations must be a whole number from 0 to 2147483647'],
  ])('refuses %o', (value, message) => {
    expect(() => pgSettings(value)).toThrow(new ConfigError(message));
  });

  it('reports the first violation in the order in which the fields are given', () => {
    expect(() => pgSettings({ options: 5, application_name: 5 })).toThrow('pg.options must be a string');
    expect(() => pgSettings({ application_name: 5, options: 5 })).toThrow('pg.application_name must be');
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
    expect(() => pgSettings({ [name]: 'x' })).toThrow(new ConfigError(`pg.${name} is refused: ${reason}`));
  });
});

describe('the application name', () => {
  afterEach(() => void vi.unstubAllEnvs());

  it.each([
    ['one', 'two', 'three', 'one'],
    [undefined, 'two', 'three', 'two'],
    ['', 'two', undefined, 'two'],
    [undefined, '', 'three', 'three'],
    [undefined, '', undefined, undefined],
  ])(
    'from application_name %o, PGAPPNAME %o and the fallback %o is that of the driver',
    (own, variable, fallback, expected) => {
      vi.stubEnv('PGAPPNAME', variable);
      const settings = pgSettings({ application_name: own, fallback_application_name: fallback });
      expect(applicationName(settings)).toBe(expected);
      // The driver sends the same to the server.
      const { connectionParameters } = new pg.Client({ ...settings } as pg.ClientConfig) as unknown as {
        connectionParameters: { application_name?: string; fallback_application_name?: string };
      };
      const { application_name: told, fallback_application_name: instead } = connectionParameters;
      expect(told || instead || undefined).toBe(expected);
    },
  );
});
