import { expect, it } from 'vitest';
import { UsageError } from '../../../src/cli/options.js';
import { readArguments } from '../../../src/watch/arguments.js';

it.each([
  ['127.0.0.1:9464', 'http://127.0.0.1:9464/metrics'],
  ['http://app:9464/', 'http://app:9464/metrics'],
  ['[::1]:9464', 'http://[::1]:9464/metrics'],
  ['https://app.example/federate?match[]=x#top', 'https://app.example/federate?match[]=x'],
])('watch reads the URL %s as %s', (given, href) => {
  expect(readArguments([given])).toMatchObject({
    url: { href },
    ...{ selection: {}, print: undefined, port: undefined, intervalMs: 1_000 },
  });
});

it('watch reads its options', () => {
  const given = [
    'host',
    '--pool',
    'a',
    '--instance',
    'b',
    '--port',
    '0',
    '--interval',
    '5',
    '--once',
    '--json',
  ];
  expect(readArguments(given)).toMatchObject({
    ...{ selection: { pool: 'a', instance: 'b' }, print: 'json', port: 0, intervalMs: 5_000 },
  });
  expect(readArguments(['host', '--once'])).toMatchObject({ print: 'table' });
  expect(readArguments(['--help'])).toBe('help');
});

it.each([
  [[], 'a URL is missing'],
  [['a', 'b'], 'watch takes one URL'],
  [['http://'], 'the URL cannot be read'],
  [['postgres://app:canary@db/app'], 'must begin with http:// or https://'],
  [['http://app:canary@host/metrics'], 'must have no user and no password'],
  [['app:canary@host/metrics'], 'must have no user and no password'],
  [['host', '--port', '65536'], '--port must be a whole number from 0 to 65535'],
  [['host', '--interval', '0'], '--interval must be a whole number from 1 to 60'],
  [['host', '--pol', 'x'], "Unknown option '--pol'"],
])('watch refuses %j without repeating a password', (args, reason) => {
  expect(() => readArguments(args)).toThrow(UsageError);
  expect(() => readArguments(args)).toThrow(reason);
  expect(() => readArguments(args)).not.toThrow('canary');
});
