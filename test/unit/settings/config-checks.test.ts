import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthBackend } from '../../../src/auth/backend.js';
import { BACKENDS } from '../../../src/auth/backends.js';
import { effectiveSslMode, type Config } from '../../../src/settings/config.js';
import {
  checkHost,
  checkPort,
  copyConfig,
  readConfig,
  refuseTokenInClear,
  validateConfig,
} from '../../../src/settings/config-checks.js';
import { ConfigError } from '../../../src/errors.js';

const BASE: Config = { host: 'db.example.com', port: 5432, user: 'alice', database: 'app' };
const EXAMPLES = Object.entries<AuthBackend>(BACKENDS).flatMap(([key, { example }]) => (example ? key : []));
const NO_AUTH = `dynamicAuth is set but no supported auth method (e.g., ${EXAMPLES.join(', ')}) is configured`;
const HOST = 'host must not contain any of "@/?#" or whitespace';
const PORT = 'port must be between 1 and 65535';
const DATABASE = 'database must not contain any of "?#/" or whitespace';
const NOT_HOST = 'host must be a name or an address, without port or brackets';
const size = (name: string): string => `${name} must be a whole number from 0 to 2147483647`;

afterEach(() => {
  for (const key of ['password', 'host', 'dynamicAuth', 'sslMode']) {
    Reflect.deleteProperty(Object.prototype, key);
  }
});

const changed = (changes: Record<string, unknown>): unknown => ({ ...BASE, ...changes });

describe('validateConfig', () => {
  it.each<[string, unknown, string]>([
    ['null', null, 'config is nil'],
    ['undefined', undefined, 'config is nil'],
    ['a string', 'postgres://h/d', 'config must be an object'],
    ['an array', [BASE], 'config must be an object'],
    ['no host', changed({ host: undefined }), 'host is required'],
    ['null as host', changed({ host: null }), 'host is required'],
    ['an empty host', changed({ host: '' }), 'host is required'],
    ['a host that is not a string', changed({ host: 7 }), 'host must be a string'],
    ['hosts in a list', changed({ host: ['a', 'b'] }), 'host must be a string'],
    ...['a@b', 'a?b', 'a#b', 'a b', 'a\tb', 'a\nb', 'a\rb', 'a\u00a0b', ' a'].map(
      (host): [string, unknown, string] => [`the host ${JSON.stringify(host)}`, changed({ host }), HOST],
    ),
    ['the path of a socket', changed({ host: '/var/run/postgresql' }), HOST],
    ['NUL in the host', changed({ host: 'a\0b' }), `${HOST}, nor control characters`],
    ['a control character in the host', changed({ host: 'a\x7fb' }), `${HOST}, nor control characters`],
    [
      'hosts with a comma',
      changed({ host: 'a,b' }),
      'host must be one host: a list of hosts is not supported here, give it as hosts',
    ],
    ...['a%b', 'a"b', 'a<b>', 'a\\b', 'a^b', 'a`b', 'a{b}', 'a|b'].map((host): [string, unknown, string] => [
      `the host ${host}, which no URL can hold`,
      changed({ host }),
      `${HOST}, nor any of %"<>\\^\`{|}`,
    ]),
    ['a host with a port', changed({ host: 'a:5432' }), NOT_HOST],
    ['an address in brackets', changed({ host: '[::1]' }), NOT_HOST],
    ['half a character in the host', changed({ host: 'a\ud800' }), 'host must be well-formed Unicode'],
    ...[undefined, null, 0, -1, 65536, 1.5, NaN, Infinity, true, {}].map(
      (port): [string, unknown, string] => [`the port ${inspect(port)}`, changed({ port }), PORT],
    ),
    ['a port that is a string', changed({ port: '5432' }), `${PORT}, a number and not a string`],
    ['no user', changed({ user: undefined }), 'user is required'],
    ['an empty user', changed({ user: '' }), 'user is required'],
    ['a user that is not a string', changed({ user: {} }), 'user must be a string'],
    ['NUL in the user', changed({ user: 'a\0b' }), 'user must not contain control characters'],
    ['no database', changed({ database: undefined }), 'database is required'],
    ['an empty database', changed({ database: '' }), 'database is required'],
    ['a database that is not a string', changed({ database: 1 }), 'database must be a string'],
    ...['a?b', 'a#b', 'a/b', 'a b', 'a\tb', 'a\nb', 'a\rb'].map((database): [string, unknown, string] => [
      `the database ${JSON.stringify(database)}`,
      changed({ database }),
      DATABASE,
    ]),
    ['NUL in the database', changed({ database: 'a\0b' }), `${DATABASE}, nor control characters`],
    [
      'half a character in the database',
      changed({ database: '\udfff' }),
      'database must be well-formed Unicode',
    ],
    ['dynamicAuth without a backend', changed({ dynamicAuth: {} }), NO_AUTH],
    ['dynamicAuth with an unset backend', changed({ dynamicAuth: { awsRdsIam: undefined } }), NO_AUTH],
    ['dynamicAuth with a backend of the future', changed({ dynamicAuth: { futureAuth: {} } }), NO_AUTH],
    [
      'a dynamicAuth that is a string',
      changed({ dynamicAuth: 'awsRdsIam' }),
      'dynamicAuth must be an object',
    ],
    [
      'two backends',
      changed({ dynamicAuth: { awsRdsIam: { region: 'eu-west-1' }, azureAd: {} } }),
      'dynamicAuth must configure exactly one auth method, but more than one is set',
    ],
    [
      'an unknown backend beside a known one',
      changed({ dynamicAuth: { awsRdsIam: { region: 'eu-west-1' }, futureAuth: undefined } }),
      'unknown key "futureAuth" in dynamicAuth',
    ],
    [
      'a backend that is a string',
      changed({ dynamicAuth: { awsRdsIam: 'eu-west-1' } }),
      'dynamicAuth.awsRdsIam must be an object',
    ],
    ['no region', changed({ dynamicAuth: { awsRdsIam: {} } }), 'dynamicAuth.awsRdsIam.region is required'],
    [
      'an empty region',
      changed({ dynamicAuth: { awsRdsIam: { region: '' } } }),
      'dynamicAuth.awsRdsIam.region is required',
    ],
    [
      'a region that is not a string',
      changed({ dynamicAuth: { awsRdsIam: { region: 1 } } }),
      'dynamicAuth.awsRdsIam.region must be a string',
    ],
    [
      'a line break in the region',
      changed({ dynamicAuth: { awsRdsIam: { region: 'eu\r\n' } } }),
      'dynamicAuth.awsRdsIam.region must not contain control characters',
    ],
    [
      'an unknown setting of a backend',
      changed({ dynamicAuth: { awsRdsIam: { region: 'eu-west-1', prophile: 'x' } } }),
      'unknown key "prophile" in dynamicAuth.awsRdsIam',
    ],
    ['an unknown key', changed({ passwort: 'canary' }), 'unknown key "passwort" in config'],
    ['an unknown key without a value', changed({ ssl: undefined }), 'unknown key "ssl" in config'],
    ['a password that is not a string', changed({ password: () => 'canary' }), 'password must be a string'],
    [
      'NUL in the password',
      changed({ password: 'canary\0' }),
      'password must not contain control characters',
    ],
    [
      'half a character in the password',
      changed({ password: 'canary\ud800' }),
      'password must be well-formed Unicode',
    ],
    [
      'a migration user that is not a string',
      changed({ migrationUser: 1 }),
      'migrationUser must be a string',
    ],
    [
      'NUL in the migration user',
      changed({ migrationUser: '\0' }),
      'migrationUser must not contain control characters',
    ],
    [
      'a migration password that is not a string',
      changed({ migrationPassword: 1 }),
      'migrationPassword must be a string',
    ],
    [
      'a line break in the migration password',
      changed({ migrationPassword: 'canary\n' }),
      'migrationPassword must not contain control characters',
    ],
    ...['maxOpenConns', 'minConns', 'connMaxLifetimeMs'].flatMap((name) =>
      [-1, 1.5, NaN, Infinity, 2 ** 31, '5', true].map((value): [string, unknown, string] => [
        `${name} of ${typeof value} ${String(value)}`,
        changed({ [name]: value }),
        size(name),
      ]),
    ),
    [
      'more minConns than the maximum',
      changed({ minConns: 3, maxOpenConns: 2 }),
      'minConns must not be above maxOpenConns, which is 2',
    ],
    [
      'more minConns than the default maximum',
      changed({ minConns: 11 }),
      'minConns must not be above maxOpenConns, which is 10',
    ],
    ...['prefer', 'allow', 'REQUIRE', 'no-verify', true, {}].map((sslMode): [string, unknown, string] => [
      `the sslMode ${inspect(sslMode)}`,
      changed({ sslMode }),
      'sslMode must be one of disable, require, verify-ca, verify-full',
    ]),
  ])('refuses %s', (_title, config, message) => {
    expect(() => validateConfig(config)).toThrow(new ConfigError(message));
    expect(() => copyConfig(config)).toThrow(new ConfigError(message));
    expect(message).not.toContain('canary');
  });

  it.each<[string, Record<string, unknown>]>([
    ['the minimal config', {}],
    ['null for optional fields', { password: null, dynamicAuth: null, sslMode: null, maxOpenConns: null }],
    ['zero sizes', { maxOpenConns: 0, minConns: 0, connMaxLifetimeMs: 0 }],
    [
      'the largest sizes',
      { maxOpenConns: 2 ** 31 - 1, minConns: 2 ** 31 - 1, connMaxLifetimeMs: 2 ** 31 - 1 },
    ],
    ['an empty mode', { sslMode: '' }],
    ['an IPv4 address', { host: '127.0.0.1' }],
    ['an IPv6 address', { host: '::1' }],
    ['a host with every character that a URL allows in it', { host: "a!$&'()*+;=_~-.b" }],
    ['an IPv6 address with a zone', { host: 'fe80::1%eth0' }],
    ['unusual names', { user: 'a b"\'@:/%é密😀', database: 'a"\'@:%é密😀', password: ' "\'@:/%é密😀' }],
    [
      'all printable ASCII as password',
      { password: String.fromCharCode(...Array.from({ length: 95 }, (_, at) => at + 32)) },
    ],
    ['a password beside dynamicAuth', { password: 'x', dynamicAuth: { awsRdsIam: { region: 'detect' } } }],
  ])('accepts %s', (_title, changes) => {
    expect(() => validateConfig(changed(changes))).not.toThrow();
  });

  it('reports the first violation in the order of the fields', () => {
    const broken = { nonsense: 1, sslMode: 'x', dynamicAuth: {} };
    const order = ['host is required', PORT, 'user is required', 'database is required', NO_AUTH];
    const repairs = [{ host: 'h' }, { port: 1 }, { user: 'u' }, { database: 'd' }];
    order.forEach((message, at) => {
      const config: unknown = Object.assign({}, broken, ...repairs.slice(0, at));
      expect(() => validateConfig(config)).toThrow(new ConfigError(message));
    });
  });
});

describe('validateConfig: several hosts', () => {
  const several = (hosts: unknown, changes: object = {}): unknown => ({
    ...{ user: 'alice', database: 'app', hosts },
    ...changes,
  });
  const a = { host: 'a', port: 1 };

  it.each<[string, unknown]>([
    ['each with its port', several([a, { host: 'b', port: 2 }])],
    [
      'with the port of the config',
      several([{ host: 'a' }, { host: '::1', port: undefined }], { port: 5432 }),
    ],
    ['with a single one', several([a])],
    ['at two ports', several([a, { host: 'a', port: 2 }])],
    [
      'with targetSessionAttrs and loadBalanceHosts',
      several([a], { targetSessionAttrs: 'prefer-standby', loadBalanceHosts: 'random' }),
    ],
    ['as a single host with targetSessionAttrs', changed({ targetSessionAttrs: 'primary' })],
  ])('are accepted %s', (_how, config) => {
    expect(() => validateConfig(config)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['beside host', several([a], { host: 'b' }), 'host and hosts are mutually exclusive: give one of them'],
    ['that are not a list', several('a,b'), 'hosts must be a list of one or more { host, port }'],
    ['as an empty list', several([]), 'hosts must be a list of one or more { host, port }'],
    ['that are strings', several(['a']), 'hosts[0] must be an object'],
    ['with a hole', several([a, undefined]), 'hosts[1] must be an object'],
    ['without a name', several([a, { port: 2 }]), 'hosts[1].host is required'],
    ['in one string', several([{ host: 'a,b', port: 1 }]), 'hosts[0].host must be one host'],
    ['without a port', several([a, { host: 'b' }]), 'hosts[1].port is required where the config has no port'],
    ['at port 0', several([{ host: 'a', port: 0 }]), 'hosts[0].port must be between 1 and 65535'],
    [
      'with a port that is a string',
      several([{ host: 'a' }], { port: '1' }),
      'port must be between 1 and 65535',
    ],
    ['twice', several([a, { host: 'a' }], { port: 1 }), 'hosts must not name a:1 twice'],
    ['with an unknown key', several([{ ...a, user: 'b' }]), 'unknown key "user" in hosts[0]'],
    [
      'with an unknown targetSessionAttrs',
      several([a], { targetSessionAttrs: 'master' }),
      'targetSessionAttrs must be one of any',
    ],
    [
      'with an invalid loadBalanceHosts',
      several([a], { loadBalanceHosts: true }),
      'loadBalanceHosts must be one of disable',
    ],
  ])('are refused %s', (_how, config, text) => {
    expect(() => validateConfig(config)).toThrow(text);
  });

  it('are copied and frozen', () => {
    const hosts = [{ host: 'a', port: 1 }];
    const copy = copyConfig(several(hosts));
    hosts.push({ host: 'b', port: 2 });
    Object.assign(hosts[0] ?? {}, { host: 'c' });
    expect(copy.hosts?.map(({ host }) => host)).toEqual(['a']);
    expect(Object.isFrozen(copy.hosts?.[0])).toBe(true);
  });
});

describe('the checks for tokens', () => {
  it('check host and port only', () => {
    const fields = readConfig({ host: 'h', port: 1 });
    expect(() => checkHost(fields.host, 'host')).not.toThrow();
    expect(() => checkPort(fields.port, 'port')).not.toThrow();
  });
});

describe('copyConfig', () => {
  it('copies deeply and freezes', () => {
    const given = { ...BASE, password: 'p', dynamicAuth: { awsRdsIam: { region: 'eu-west-1' } } };
    const copy = copyConfig(given);
    given.host = 'other';
    given.dynamicAuth.awsRdsIam.region = 'other';
    expect({ ...copy }).toMatchObject({ host: 'db.example.com', password: 'p' });
    expect(copy.dynamicAuth?.awsRdsIam?.region).toBe('eu-west-1');
    expect(Object.isFrozen(copy)).toBe(true);
    expect(Object.isFrozen(copy.dynamicAuth)).toBe(true);
    expect(Object.isFrozen(copy.dynamicAuth?.awsRdsIam)).toBe(true);
    expect(Object.isFrozen(given)).toBe(false);
  });

  it('omits unset fields', () => {
    expect(Object.keys(copyConfig({ ...BASE, password: undefined, dynamicAuth: null }))).toEqual(
      Object.keys(BASE),
    );
  });

  it('reads each field once', () => {
    const reads: string[] = [];
    const once = (name: string, value: unknown): PropertyDescriptor => ({
      enumerable: true,
      get: () => (reads.push(name), reads.filter((read) => read === name).length > 1 ? 'b@d' : value),
    });
    const awsRdsIam = Object.defineProperties({}, { region: once('region', 'eu-west-1') });
    const dynamicAuth = Object.defineProperties({}, { awsRdsIam: once('awsRdsIam', awsRdsIam) });
    const fields = Object.entries({ ...BASE, dynamicAuth }).map(([name, value]) => [name, once(name, value)]);
    const config = Object.defineProperties({}, Object.fromEntries(fields) as PropertyDescriptorMap);
    expect(copyConfig(config).host).toBe('db.example.com');
    expect(reads.sort()).toEqual(['awsRdsIam', 'database', 'dynamicAuth', 'host', 'port', 'region', 'user']);
  });

  it('accepts frozen configs and its own result', () => {
    expect({ ...copyConfig(copyConfig(Object.freeze({ ...BASE }))) }).toEqual(BASE);
  });

  it('is not changed by a __proto__ key', () => {
    const config = JSON.parse(
      `{"__proto__": {"password": "canary"}, ${JSON.stringify(BASE).slice(1)}`,
    ) as unknown;
    const copy = copyConfig(config);
    expect(copy.password).toBeUndefined();
    expect(Object.keys(copy)).toEqual(Object.keys(BASE));
    const nested = JSON.parse('{"awsRdsIam": {"__proto__": {"region": "eu-west-1"}}}') as unknown;
    expect(() => copyConfig({ ...BASE, dynamicAuth: nested })).toThrow('region is required');
  });

  it('reads nothing from a prototype', () => {
    expect(() => copyConfig(Object.create(BASE))).toThrow('host is required');
  });

  it('reads nothing from a polluted Object.prototype', () => {
    Object.assign(Object.prototype, { password: 'canary', sslMode: 'disable', dynamicAuth: {} });
    const copy = copyConfig(BASE);
    expect(copy.password).toBeUndefined();
    expect(copy.dynamicAuth).toBeUndefined();
    expect(effectiveSslMode(copy)).toBe('require');
    Object.assign(Object.prototype, { host: 'evil' });
    expect(() => copyConfig({ port: 1, user: 'u', database: 'd' })).toThrow('host is required');
  });
});

describe('refuseTokenInClear', () => {
  const dynamicAuth = { awsRdsIam: { region: 'eu-west-1' } };

  it('refuses dynamicAuth without encryption', () => {
    expect(() => refuseTokenInClear({ ...BASE, dynamicAuth, sslMode: 'disable' })).toThrow(
      new ConfigError(
        'dynamicAuth with sslMode disable would send the token in clear: use require or stronger',
      ),
    );
  });

  it.each<Partial<Config>>([
    { dynamicAuth },
    { dynamicAuth, sslMode: 'require' },
    { sslMode: 'disable' },
    {},
  ])('accepts %o', (changes) => {
    expect(() => refuseTokenInClear({ ...BASE, ...changes })).not.toThrow();
  });
});
