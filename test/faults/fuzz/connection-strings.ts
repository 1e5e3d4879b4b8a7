import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { parse } from 'pg-connection-string';
import {
  buildConnectionStringWithAuth,
  connectionString,
  migrationConnectionString,
  type Config,
} from '../../../src/index.js';
import { expectClear, hold, outcome, SECRET, shaky, type Target } from './target.js';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.string({ minLength: 1 }),
);
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
const config = fc.record({
  host,
  port: fc.integer({ min: 1, max: 65_535 }),
  user: text,
  password: fc.oneof(text, fc.constant('')),
  // Without characters that this parser, unlike libpq, does not decode, and those it treats as path segments.
  database: text.filter((name) => !/[?#]|^\.\.?(\/|$)|\/\.\.?(\/|$)/.test(name)),
  sslMode: fc.constantFrom('disable', 'require', 'verify-ca', 'verify-full'),
});

/** Strings made from any values, parsed by node-postgres' own parser. */
export const roundTrips: Target = {
  name: 'connection strings, round trip',
  share: 15,
  input: config,
  async attempt(input) {
    const { host: address, port, user, password, database } = input as Required<Config>;
    const built = await outcome(() => connectionString(input as Config));
    if ('error' in built) {
      expectClear(built.error);
      const halves = [user, password, database].some((value) => /\p{Cs}/u.test(value ?? ''));
      hold(halves, 'refused though every character is whole', built.error);
      return;
    }
    const parsed = parse(built.value.replace(/\?.*$/, ''));
    const seen = {
      host: parsed.host,
      port: parsed.port,
      user: parsed.user,
      password: parsed.password ?? '',
      database: parsed.database,
    };
    const expected = { host: canonical(address), port: String(port), user, password, database };
    hold(
      JSON.stringify(seen) === JSON.stringify(expected),
      `${built.value} is read as ${JSON.stringify(seen)}`,
    );
  },
};

/** Shortens an IPv6 address as the parser does. */
function canonical(host = ''): string {
  return isIPv6(host) ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
}

/** Strings made from objects of any kind. */
export const anyStrings: Target<{ config: unknown; user: unknown }> = {
  name: 'connection strings of anything',
  share: 5,
  input: fc.record({
    config: shaky({
      host,
      port: fc.integer(),
      user: text,
      password: fc.constant(SECRET),
      database: text,
      sslMode: fc.constant('require'),
    }),
    user: shaky({}),
  }),
  async attempt({ config: any, user }) {
    const given = any as Config;
    const all = [
      () => connectionString(given),
      () => migrationConnectionString(given),
      () => buildConnectionStringWithAuth(given, user as string, SECRET),
    ];
    for (const build of all) {
      const built = await outcome(build);
      if ('error' in built) expectClear(built.error);
      else hold(/^postgres:\/\/[\x21-\x7e]*$/.test(built.value), 'not an ASCII URL', built.value);
    }
  },
};
