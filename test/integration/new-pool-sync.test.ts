import { describe, expect, test } from 'vitest';
import { newPoolSync, type Config, type InstrumentedPool, type PoolOptions } from '../../src/index.js';
import { setEnv, useCleanEnvironment } from '../support/environment.js';
import { iamConfig } from '../support/rds-configs.js';
import { RecordingLogger } from '../support/logger.js';
import { useLocalRds } from '../support/servers.js';
import { EXAMPLE_KEYS } from '../support/tokens.js';

useCleanEnvironment();
const rds = useLocalRds();

const thrown = (config: unknown, options?: PoolOptions): Error => {
  try {
    newPoolSync(config as Config, options);
  } catch (error) {
    return error as Error;
  }
  throw new Error('newPoolSync accepted it');
};
const make = (config: Config, options?: PoolOptions): InstrumentedPool =>
  newPoolSync(config, { logger: new RecordingLogger(), ...options });

describe('newPoolSync', () => {
  test('returns a pool that logs in with tokens over verified TLS, with roots from a file', async () => {
    const { accessKeyId, secretAccessKey } = rds().credentials.current;
    setEnv({
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      PGSSLROOTCERT: rds().caFile,
    });
    const pool = make(iamConfig(rds(), { sslMode: 'verify-full' }));
    expect((await pool.query<object>('select current_user')).rows).toEqual([{ current_user: rds().user }]);
    expect(rds().gate.stats().tokensAccepted).toBe(1);
    await pool.end();
  });

  test('logs the creation of the pool, fills it to its minimum, and logs statistics if configured', async () => {
    const logger = new RecordingLogger();
    const pool = newPoolSync(
      { host: '127.0.0.1', port: 1, user: 'a', database: 'd' },
      { logger, poolName: 'mine' },
    );
    expect(logger.records).toMatchObject([
      { level: 'info', message: 'postgres connection pool created', fields: { pool: 'mine' } },
    ]);
    await pool.end();
  });

  test('refuses to detect the region, and says what to do instead', () => {
    setEnv(EXAMPLE_KEYS);
    const error = thrown(iamConfig(rds(), { dynamicAuth: { awsRdsIam: { region: 'detect' } } }));
    expect(error).toMatchObject({ name: 'ConfigError' });
    expect(error.message).toBe(
      'invalid configuration: dynamicAuth.awsRdsIam.region "detect" has to be found out, which takes waiting: use newPool, or give the value itself',
    );
  });

  test.each<[string, unknown, PoolOptions | undefined, string, RegExp]>([
    ['no config', null, undefined, 'ConfigError', /^config is nil$/],
    ['no host', { port: 1 }, undefined, 'ConfigError', /^invalid configuration: host is required$/],
    [
      'a malformed region',
      { host: 'h', port: 1, user: 'u', database: 'd', dynamicAuth: { awsRdsIam: { region: 'nowhere' } } },
      undefined,
      'AuthError',
      /does not look like one/,
    ],
    [
      'an aborted signal',
      { host: 'h', port: 1, user: 'u', database: 'd' },
      { signal: AbortSignal.abort(new RangeError('enough')) },
      'RangeError',
      /^enough$/,
    ],
  ])('throws the error that newPool rejects with for %s', (_what, config, options, name, text) => {
    expect(thrown(config, options)).toMatchObject({ name, message: expect.stringMatching(text) as string });
  });

  test('throws for a missing root file, and names it', () => {
    setEnv({ PGSSLROOTCERT: '/no/root' });
    const error = thrown({ host: 'h', port: 1, user: 'u', database: 'd', sslMode: 'verify-full' });
    expect(error).toMatchObject({ name: 'ConfigError' });
    expect(error.message).toContain('PGSSLROOTCERT (/no/root): cannot be read: ENOENT');
  });
});
