import { inspect } from 'node:util';
import fc from 'fast-check';
import { defineConfig, logValue, newPool, validateConfig, type Config } from '../../../src/index.js';
import { expectClear, hold, outcome, SECRET, SILENT, shaky, type Target } from './target.js';

const password = fc
  .tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
  .map(([before, after]) => before + SECRET + after);
const name = fc.oneof(
  fc.constantFrom('app', 'ünï', 'a b', '10.0.0.1', '::1', 'db.example.org'),
  fc.string({ unit: 'binary' }),
  fc.string(),
);

const config = shaky({
  host: name,
  port: fc.oneof(fc.integer({ min: -1, max: 65_537 }), fc.constant('5432')),
  user: name,
  password,
  migrationUser: name,
  migrationPassword: password,
  database: name,
  sslMode: fc.constantFrom('disable', 'require', 'verify-ca', 'verify-full', 'prefer', '', 'DISABLE'),
  dynamicAuth: shaky({
    awsRdsIam: shaky({
      region: fc.constantFrom('eu-central-1', 'us-gov-west-1', 'x', 'eu-central-1\r\n', ''),
    }),
  }),
  maxOpenConns: fc.integer({ min: -1, max: 20 }),
  // Never a valid one: a pool with a minimum would look up the host.
  minConns: fc.constantFrom(0, -1, 21, 1.5, '1'),
  connMaxLifetimeMs: fc.integer({ min: -1 }),
});

/** `newPool`, `validateConfig`, `logValue` and `defineConfig` with configs of any kind. */
export const configs: Target = {
  name: 'config objects',
  share: 14,
  input: config,
  async attempt(input) {
    const made = await outcome(() => newPool(input as Config, { logger: SILENT }));
    if ('value' in made) await made.value.end();
    else expectRefusal(made.error, input);
    const valid = await outcome(() => validateConfig(input));
    if ('error' in valid) {
      expectClear(valid.error);
      hold('error' in made, 'newPool took what validateConfig refuses', input);
    }
    for (const show of [
      logValue,
      (given: Config) => inspect(defineConfig(given), { depth: 9, showHidden: true }),
    ]) {
      const shown = await outcome(() => show(input as Config));
      if ('error' in shown) expectClear(shown.error);
      else hold(!inspect(shown.value, { depth: 9 }).includes(SECRET), 'the redacted view shows a secret');
    }
  },
};

function expectRefusal(error: unknown, input: unknown): void {
  expectClear(error);
  const { message } = error as Error;
  const known = /^(invalid configuration: |config is nil$|dynamic auth \(awsRdsIam\): |thrown by the input$)/;
  hold(known.test(message), `refused with ${message}`, input);
}
