import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { parse } from 'pg-connection-string';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/settings/config.js';
import {
  buildConnectionStringWithAuth,
  connectionString,
  getMigrationPassword,
  getMigrationUser,
  migrationConnectionString,
} from '../../../src/settings/connection-string.js';
import { ConfigError } from '../../../src/errors.js';

// The output of Go 1.26 for url.User with U+0000 to U+00FF, concatenated.
const GO_USERINFO =
  '%00%01%02%03%04%05%06%07%08%09%0A%0B%0C%0D%0E%0F%10%11%12%13%14%15%16%17%18%19%1A%1B%1C%1D%1E%1F' +
  '%20%21%22%23$%25&%27%28%29%2A+,-.%2F0123456789%3A;%3C=%3E%3F%40ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5C' +
  '%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%7F%C2%80%C2%81%C2%82%C2%83%C2%84%C2%85%C2%86' +
  '%C2%87%C2%88%C2%89%C2%8A%C2%8B%C2%8C%C2%8D%C2%8E%C2%8F%C2%90%C2%91%C2%92%C2%93%C2%94%C2%95%C2%96' +
  '%C2%97%C2%98%C2%99%C2%9A%C2%9B%C2%9C%C2%9D%C2%9E%C2%9F%C2%A0%C2%A1%C2%A2%C2%A3%C2%A4%C2%A5%C2%A6' +
  '%C2%A7%C2%A8%C2%A9%C2%AA%C2%AB%C2%AC%C2%AD%C2%AE%C2%AF%C2%B0%C2%B1%C2%B2%C2%B3%C2%B4%C2%B5%C2%B6' +
  '%C2%B7%C2%B8%C2%B9%C2%BA%C2%BB%C2%BC%C2%BD%C2%BE%C2%BF%C3%80%C3%81%C3%82%C3%83%C3%84%C3%85%C3%86' +
  '%C3%87%C3%88%C3%89%C3%8A%C3%8B%C3%8C%C3%8D%C3%8E%C3%8F%C3%90%C3%91%C3%92%C3%93%C3%94%C3%95%C3%96' +
  '%C3%97%C3%98%C3%99%C3%9A%C3%9B%C3%9C%C3%9D%C3%9E%C3%9F%C3%A0%C3%A1%C3%A2%C3%A3%C3%A4%C3%A5%C3%A6' +
  '%C3%A7%C3%A8%C3%A9%C3%AA%C3%AB%C3%AC%C3%AD%C3%AE%C3%AF%C3%B0%C3%B1%C3%B2%C3%B3%C3%B4%C3%B5%C3%B6' +
  '%C3%B7%C3%B8%C3%B9%C3%BA%C3%BB%C3%BC%C3%BD%C3%BE%C3%BF';

// Its output after the colon for url.UserPassword.
const GO_PASSWORDS = {
  'a b%2F+c': 'a%20b%252F+c',
  'p@ss/word': 'p%40ss%2Fword',
  é: '%C3%A9',
  'žluťoučký kůň': '%C5%BElu%C5%A5ou%C4%8Dk%C3%BD%20k%C5%AF%C5%88',
  密码: '%E5%AF%86%E7%A0%81',
  '😀': '%F0%9F%98%80',
};

const BASE: Config = { host: 'h', port: 5432, user: 'alice', database: 'd' };
const config = (changes: Partial<Config> = {}): Config => ({ ...BASE, ...changes });

describe('connectionString', () => {
  it.each<[string, Partial<Config>, string]>([
    ['omits the colon without a password', {}, 'postgres://alice@h:5432/d?sslmode=require'],
    [
      'escapes the password',
      { password: 'p@ss/word' },
      'postgres://alice:p%40ss%2Fword@h:5432/d?sslmode=require',
    ],
    [
      'treats an empty mode as the default',
      { sslMode: '' as never },
      'postgres://alice@h:5432/d?sslmode=require',
    ],
    ['writes the mode', { sslMode: 'verify-full' }, 'postgres://alice@h:5432/d?sslmode=verify-full'],
    [
      'writes several hosts as libpq does',
      {
        host: undefined,
        hosts: [{ host: 'a' }, { host: '::1', port: 6432 }],
        targetSessionAttrs: 'read-write',
      },
      'postgres://alice@a:5432,[::1]:6432/d?sslmode=require&target_session_attrs=read-write',
    ],
    [
      'writes load_balance_hosts',
      { loadBalanceHosts: 'random' },
      'postgres://alice@h:5432/d?sslmode=require&load_balance_hosts=random',
    ],
    ['brackets IPv6', { host: '::1' }, 'postgres://alice@[::1]:5432/d?sslmode=require'],
    ['does not bracket twice', { host: '[::1]' }, 'postgres://alice@[::1]:5432/d?sslmode=require'],
    [
      'does not escape characters allowed in a host',
      { host: "a!$&'()*+;=b" },
      "postgres://alice@a!$&'()*+;=b:5432/d?sslmode=require",
    ],
    [
      'escapes a comma, which would begin another host',
      { host: 'a,b' },
      'postgres://alice@a%2Cb:5432/d?sslmode=require',
    ],
    ['escapes a zone', { host: 'fe80::1%eth0' }, 'postgres://alice@[fe80::1%25eth0]:5432/d?sslmode=require'],
    [
      'escapes what would end the host',
      { host: 'a@b/c?d#e' },
      'postgres://alice@a%40b%2Fc%3Fd%23e:5432/d?sslmode=require',
    ],
    [
      'escapes what would start the query',
      { database: 'd?sslmode=disable#x' },
      'postgres://alice@h:5432/d%3Fsslmode=disable%23x?sslmode=require',
    ],
    [
      'escapes a percent sign',
      { database: 'a%2Fb c' },
      'postgres://alice@h:5432/a%252Fb%20c?sslmode=require',
    ],
  ])('%s', (_title, changes, expected) => {
    expect(connectionString(config(changes))).toBe(expected);
  });

  it.each<[string, unknown, string]>([
    [
      'an unknown mode',
      config({ sslMode: 'prefer' as never }),
      'sslMode must be one of disable, require, verify-ca, verify-full',
    ],
    ['no config', null, 'config is nil'],
    ['a user that is not a string', config({ user: 7 as never }), 'user must be a string'],
    ['half a character in the user', config({ user: 'a\ud800' }), 'user must be well-formed Unicode'],
    [
      'half a character in the password',
      config({ password: '\udc00' }),
      'password must be well-formed Unicode',
    ],
    [
      'half a character in the database',
      config({ database: '\ud800x' }),
      'database must be well-formed Unicode',
    ],
  ])('refuses %s', (_title, value, message) => {
    expect(() => connectionString(value as Config)).toThrow(new ConfigError(message));
  });
});

describe('a config without a required field', () => {
  it.each<[string, object, string]>([
    ['host', { port: 5432, user: 'alice', database: 'd' }, 'host is required'],
    ['port', { host: 'h', user: 'alice', database: 'd' }, 'port must be between 1 and 65535'],
    ['user', { host: 'h', port: 5432, database: 'd' }, 'user is required'],
    ['database', { host: 'h', port: 5432, user: 'alice' }, 'database is required'],
    ['null as database', config({ database: null as never }), 'database is required'],
  ])('throws instead of returning a URL: %s', (_title, value, message) => {
    expect(() => connectionString(value as Config)).toThrow(new ConfigError(message));
    expect(() => migrationConnectionString(value as Config)).toThrow(new ConfigError(message));
  });

  it('returns a URL when the caller passes the user', () => {
    const rest = { host: 'h', port: 5432, database: 'd' };
    expect(buildConnectionStringWithAuth(rest as Config, 'u', '')).toContain('postgres://u@h');
    expect(migrationConnectionString({ ...rest, migrationUser: 'm' } as Config)).toContain('postgres://m@h');
    const build = (): string => buildConnectionStringWithAuth(BASE, undefined as never, '');
    expect(build).toThrow(new ConfigError('user is required'));
  });
});

describe('the migration user', () => {
  it.each<[string, Partial<Config>, string, string]>([
    ['is the user, with its password, by default', { password: 's' }, 'alice', 's'],
    ['shares the password when the names are equal', { password: 's', migrationUser: 'alice' }, 'alice', 's'],
    [
      'does not use the password of another user',
      { password: 's', migrationUser: 'migrator' },
      'migrator',
      '',
    ],
    [
      'has its own password',
      { password: 's', migrationUser: 'migrator', migrationPassword: 'm' },
      'migrator',
      'm',
    ],
    ['prefers its own password to an equal user', { password: 's', migrationPassword: 'm' }, 'alice', 'm'],
  ])('%s', (_title, changes, user, password) => {
    expect(getMigrationUser(config(changes))).toBe(user);
    expect(getMigrationPassword(config(changes))).toBe(password);
    const login = password === '' ? user : `${user}:${password}`;
    expect(migrationConnectionString(config(changes))).toBe(`postgres://${login}@h:5432/d?sslmode=require`);
  });

  it('has the same URL as the user when no migration setting is set', () => {
    expect(migrationConnectionString(config({ password: 's' }))).toBe(
      connectionString(config({ password: 's' })),
    );
  });
});

describe('escaping in connection strings', () => {
  it('escapes user and password exactly like Go', () => {
    const all = Array.from({ length: 256 }, (_, code) => String.fromCodePoint(code)).join('');
    const url = (login: string) => `postgres://${login}@h:5432/d?sslmode=require`;
    expect(buildConnectionStringWithAuth(BASE, all, '')).toBe(url(GO_USERINFO));
    expect(buildConnectionStringWithAuth(BASE, 'u', all)).toBe(url(`u:${GO_USERINFO}`));
    for (const [password, escaped] of Object.entries(GO_PASSWORDS)) {
      expect(buildConnectionStringWithAuth(BASE, 'u', password)).toBe(url(`u:${escaped}`));
    }
  });

  const text = fc.string({ unit: 'binary', minLength: 1 });
  const login = fc.record({
    user: text,
    password: fc.string({ unit: 'binary' }),
    port: fc.integer({ min: 1, max: 65535 }),
  });
  const mode = fc.constantFrom('disable', 'verify-full');

  it("is read back by a parser with libpq's rules", () => {
    fc.assert(
      fc.property(login, text, text, mode, ({ user, password, port }, host, database, sslMode) => {
        fc.pre(!/^\[.*\]$/s.test(host));
        const url = buildConnectionStringWithAuth({ host, port, user, database, sslMode }, user, password);
        expect(parseLikeLibpq(url)).toEqual({
          user,
          password,
          host,
          port: String(port),
          database,
          sslmode: sslMode,
        });
      }),
    );
  });

  it('is read back by pg-connection-string', () => {
    // The parser does not decode `?` and `#` in a database, which a Config refuses, and drops dot segments.
    const database = text.filter((name) => !/[?#/]/.test(name) && !/^\.{1,2}$/.test(name));
    const host = text.filter((name) => !isIPv6(name) && !/^\[.*\]$/s.test(name));
    fc.assert(
      fc.property(login, host, database, mode, ({ user, password, port }, host, database, sslMode) => {
        const url = buildConnectionStringWithAuth({ host, port, user, database, sslMode }, user, password);
        const parsed = parse(url);
        expect(parsed).toMatchObject({
          user,
          password,
          host,
          port: String(port),
          database,
          sslmode: sslMode,
        });
      }),
    );
  });

  it.each<[string, Partial<Config>]>([
    ['a database with a question mark', { database: 'a?b' }],
    ['a database with a number sign', { database: 'a#b' }],
    ['the database .', { database: '.' }],
    ['the database ..', { database: '..' }],
    ['an IPv6 address with a zone', { host: 'fe80::1%eth0' }],
  ])('is not read back by pg-connection-string, as documented: %s', (_title, changes) => {
    const given = config({ sslMode: 'disable', ...changes });
    const url = connectionString(given);
    let read: object = {};
    try {
      read = parse(url);
    } catch {
      // The parser rejects some of these as URLs.
    }
    expect(read).not.toMatchObject({ host: given.host, database: given.database });
    const { host, database } = parseLikeLibpq(url);
    expect({ host, database }).toEqual({ host: given.host, database: given.database });
  });

  it.each(['::1', '2001:db8::1:0:0:2'])(
    'is read back by pg-connection-string with the address %s',
    (host) => {
      expect(parse(connectionString(config({ host, sslMode: 'disable' }))).host).toBe(host);
    },
  );
});

/** libpq's reading of a URL: cut at the first delimiter, then decode each part. */
function parseLikeLibpq(url: string): Record<string, string | undefined> {
  const rest = url.slice('postgres://'.length);
  const at = rest.search(/[@/]/);
  const [user, password = ''] = rest.slice(0, at).split(':');
  const place = rest.slice(at + 1);
  const host = place.startsWith('[')
    ? place.slice(1, place.indexOf(']'))
    : place.slice(0, place.search(/[:/?]/));
  const [, port, database, sslmode] =
    /^(?:\[.*?\]|[^:/?]*):([^/?]*)\/([^?]*)\?sslmode=(.*)$/s.exec(place) ?? [];
  const decode = (part: string | undefined) => (part === undefined ? undefined : decodeURIComponent(part));
  return {
    user: decode(user),
    password: decode(password),
    host: decode(host),
    port,
    database: decode(database),
    sslmode,
  };
}
