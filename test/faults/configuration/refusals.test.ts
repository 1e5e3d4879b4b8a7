import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startImds } from '../../../local-rds/index.js';
import type { AuthBackend } from '../../../src/auth/backend.js';
import { BACKENDS } from '../../../src/auth/backends.js';
import { AuthError, ConfigError, newPool, type Config } from '../../../src/index.js';
import { causes } from '../../support/errors.js';
import { useCleanEnvironment, useImds } from '../../support/environment.js';
import { useFakeServer } from '../../support/fake-server.js';
import { RecordingLogger } from '../../support/logger.js';
import { rejection, until } from '../../support/until.js';

useCleanEnvironment();
const listener = useFakeServer();

const CANARY = 'canary-password';
const EXAMPLES = Object.entries<AuthBackend>(BACKENDS).flatMap(([key, { example }]) => (example ? key : []));
const NO_AUTH = `dynamicAuth is set but no supported auth method (e.g., ${EXAMPLES.join(', ')}) is configured`;
const iam = { dynamicAuth: { awsRdsIam: { region: 'eu-central-1' } } };

/** The error of `newPool`, after checking that it dialled no connection, logged nothing and exposed no secret. */
async function refusal(config: unknown, options?: unknown): Promise<Error> {
  const log = new RecordingLogger();
  // With a minimum of connections, so that a pool made by mistake would dial at once.
  const given =
    config === null || typeof config !== 'object' || Array.isArray(config)
      ? config
      : {
          ...{ host: listener.host, port: listener.port, user: 'app', database: 'app' },
          ...{ password: CANARY, migrationPassword: CANARY, minConns: 2, ...config },
        };
  const withLogger = typeof options === 'object' ? { logger: log, ...options } : (options ?? { logger: log });
  const made = newPool(given as Config, withLogger);
  void made.then(
    (pool) => pool.end(),
    () => undefined,
  );
  const error = await rejection(made);
  expect(await listener.dialled()).toBe(0);
  expect(log.records).toEqual([]);
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
  return error;
}

const HOST = 'host must not contain any of "@/?#" or whitespace';
const PORT = 'port must be between 1 and 65535';
const DATABASE = 'database must not contain any of "?#/" or whitespace';

describe('newPool refuses, and dials no connection:', () => {
  test.each([undefined, null])('a config that is %s', async (config) => {
    expect(await refusal(config)).toMatchObject({ code: 'ERR_PGAUGE_CONFIG', message: 'config is nil' });
  });

  test.each<[string, unknown, string]>([
    ['a config that is a string', 'postgres://app@db/app', 'config must be an object'],
    ['a config that is an array', [], 'config must be an object'],
    ['an empty config', { host: undefined, port: undefined }, 'host is required'],
    ['no host', { host: '' }, 'host is required'],
    ['a host that is a number', { host: 5 }, 'host must be a string'],
    ...['a@b', 'a/b', 'a?b', 'a#b', 'a b', 'a\tb', 'a\nb', '/var/run/postgresql'].map(
      (host): [string, unknown, string] => [`host ${JSON.stringify(host)}`, { host }, HOST],
    ),
    ['a NUL in the host', { host: 'db\0evil' }, HOST],
    ['a control character in the host', { host: 'db\u0007' }, HOST],
    ['a list of hosts', { host: 'one,two' }, 'a list of hosts is not supported'],
    ...[0, -1, 65_536, 1.5, NaN, Infinity, null, undefined].map((port): [string, unknown, string] => [
      `port ${String(port)}`,
      { port },
      PORT,
    ]),
    ['a port that is a string', { port: '5432' }, `${PORT}, a number and not a string`],
    ['no user', { user: '' }, 'user is required'],
    ['a NUL in the user', { user: 'app\0database\0other' }, 'user must not contain control characters'],
    ['a user that is not a string', { user: ['app'] }, 'user must be a string'],
    ['a database that is not a string', { database: 5 }, 'database must be a string'],
    ['no database', { database: '' }, 'database is required'],
    ...['a?b', 'a#b', 'a/b', 'a b', 'a\nb', 'a\0b'].map((database): [string, unknown, string] => [
      `database ${JSON.stringify(database)}`,
      { database },
      DATABASE,
    ]),
    ['a NUL in the migration user', { migrationUser: 'm\0' }, 'migrationUser must not contain'],
    ['a NUL in the migration password', { migrationPassword: 'canary\0' }, 'migrationPassword must not'],
    ['a NUL in the password', { password: 'canary\0' }, 'password must not contain control characters'],
    ['a password that is a number', { password: 5 }, 'password must be a string'],
    ['a password that is a function', { password: () => CANARY }, 'password must be a string'],
    ...['maxOpenConns', 'minConns', 'connMaxLifetimeMs'].flatMap((name) =>
      [NaN, -1, 1.5, Infinity, '5', 2 ** 31].map((value): [string, unknown, string] => [
        `${name} ${typeof value === 'string' ? `'${value}'` : value}`,
        { [name]: value },
        `${name} must be a whole number`,
      ]),
    ),
    ['minConns above the maximum', { minConns: 5, maxOpenConns: 4 }, 'minConns must not be above'],
    ['minConns above the default maximum', { minConns: 11 }, 'minConns must not be above'],
    ['sslMode prefer', { sslMode: 'prefer' }, 'sslMode must be one of disable, require'],
    ['sslMode no-verify', { sslMode: 'no-verify' }, 'sslMode must be one of disable, require'],
    ['sslMode true', { sslMode: true }, 'sslMode must be one of disable, require'],
    ['an unknown key', { passwrod: CANARY }, 'unknown key "passwrod" in config'],
    ['a key of the driver', { ssl: { rejectUnauthorized: false } }, 'unknown key "ssl" in config'],
    ['dynamicAuth without a backend', { dynamicAuth: {} }, NO_AUTH],
    ['dynamicAuth with an unknown backend', { dynamicAuth: { gcp: {} } }, NO_AUTH],
    [
      'dynamicAuth without a region',
      { dynamicAuth: { awsRdsIam: {} } },
      'dynamicAuth.awsRdsIam.region is required',
    ],
    [
      'dynamicAuth without encryption',
      { ...iam, sslMode: 'disable' },
      'dynamicAuth with sslMode disable would send the token in clear',
    ],
  ])('%s', async (_title, config, text) => {
    const error = await refusal(config);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_CONFIG' });
    expect(error.message.startsWith('invalid configuration: ')).toBe(true);
    expect(error.message).toContain(text);
  });

  test.each<[string, unknown, string]>([
    ['options that are a string', 'fast', 'options must be an object'],
    ['an unknown option', { onConnect: () => undefined }, 'unknown key "onConnect" in options'],
    ['a beforeConnect that is not a function', { beforeConnect: 'x' }, 'beforeConnect must be a function'],
    ['an afterConnect that is not a function', { afterConnect: {} }, 'afterConnect must be a function'],
    ['a logger without debug', { logger: { info() {}, warn() {} } }, 'logger must have these functions'],
    ['a meter without the methods of a meter', { meter: {} }, 'meter must have these functions'],
    ['a signal that is not an AbortSignal', { signal: {} }, 'signal must be an AbortSignal'],
    ...['connectTimeoutMs', 'acquireTimeoutMs', 'idleTimeoutMs', 'healthCheckPeriodMs'].flatMap((name) =>
      [-1, NaN, Infinity, 2 ** 31, '5'].map((value): [string, unknown, string] => [
        `${name} ${typeof value === 'string' ? `'${value}'` : value}`,
        { [name]: value },
        `${name} must be a number of milliseconds`,
      ]),
    ),
    ['connectTimeoutMs 0', { connectTimeoutMs: 0 }, 'connectTimeoutMs must be above 0'],
    ['maxConnecting 0', { maxConnecting: 0 }, 'maxConnecting must be a whole number from 1'],
    ['ssl.rejectUnauthorized', { ssl: { rejectUnauthorized: false } }, 'ssl.rejectUnauthorized is refused'],
    [
      'ssl.checkServerIdentity',
      { ssl: { checkServerIdentity: () => undefined } },
      'ssl.checkServerIdentity is refused',
    ],
    ['an empty ssl.ca', { ssl: { ca: '' } }, 'ssl.ca must not be empty'],
    ['a driver setting that belongs in Config', { pg: { password: CANARY } }, 'pg.password is refused'],
    [
      'a driver setting that belongs in the options',
      { pg: { query_timeout: 5 } },
      'pg.query_timeout is refused',
    ],
    ['a stream', { pg: { stream: () => undefined } }, 'pg.stream is refused'],
    ['an unknown driver setting', { pg: { aplication_name: 'x' } }, 'unknown key "aplication_name" in pg'],
    ...['application_name', 'fallback_application_name', 'options', 'client_encoding'].map(
      (name): [string, unknown, string] => [
        `a NUL in the startup field ${name}`,
        { pg: { [name]: 'x\0user\0postgres' } },
        `pg.${name} must not contain NUL`,
      ],
    ),
    ['a NUL in ssl.servername', { ssl: { servername: 'db\0' } }, 'ssl.servername must not contain'],
  ])('%s', async (_title, options, text) => {
    const error = await refusal({}, options);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message.startsWith('invalid configuration: ')).toBe(true);
    expect(error.message).toContain(text);
  });

  test('dynamicAuth with beforeConnect, whatever the sslMode, and the message says how to combine them', async () => {
    for (const sslMode of ['disable', 'verify-full']) {
      const { message } = await refusal({ ...iam, sslMode }, { beforeConnect: () => undefined });
      expect(message).toContain(
        'invalid configuration: dynamicAuth and beforeConnect are mutually exclusive',
      );
      expect(message).toContain('newDynamicAuthFunc');
    }
  });

  test('a signal that is already aborted', async () => {
    const reason = new Error('too late');
    expect(await refusal({}, { signal: AbortSignal.abort(reason) })).toBe(reason);
  });

  test('to continue after its signal is aborted', async () => {
    const imds = await startImds();
    try {
      imds.set({ hang: true });
      useImds(imds.endpoint);
      const caller = new AbortController();
      const reason = new Error('changed my mind');
      const refused = refusal(
        { dynamicAuth: { awsRdsIam: { region: 'detect' } } },
        { signal: caller.signal },
      );
      await until('the region is asked for', () => Object.keys(imds.calls()).length > 0);
      caller.abort(reason);
      const error = await refused;
      expect(error).toBeInstanceOf(AuthError);
      expect(causes(error)).toContain(reason);
    } finally {
      await imds.stop();
    }
  });
});
