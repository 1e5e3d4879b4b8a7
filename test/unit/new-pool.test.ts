import { afterEach, beforeEach, expect, it } from 'vitest';
import { BACKENDS } from '../../src/auth/backends.js';
import { newPool } from '../../src/index.js';
import { setEnv, useCleanAwsEnvironment } from '../support/aws-environment.js';
import { RecordingLogger } from '../support/logger.js';
import { tracerSdk } from '../support/telemetry.js';
import { EXAMPLE_KEYS, iamConfig } from '../support/tokens.js';

useCleanAwsEnvironment();

beforeEach(() => {
  setEnv(EXAMPLE_KEYS);
  Object.assign(BACKENDS, { other: BACKENDS.awsRdsIam });
});
afterEach(() => void Reflect.deleteProperty(BACKENDS, 'other'));

it('spans name the configured backend, not one whose key is undefined', async () => {
  const { tracerProvider, spans } = tracerSdk();
  const dynamicAuth = { other: undefined, awsRdsIam: { region: 'us-east-1' } };
  const pool = await newPool(iamConfig({ host: '127.0.0.1', port: 1, dynamicAuth }), {
    tracerProvider,
    acquireSpan: 'always',
    logger: new RecordingLogger(),
  });
  await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await pool.end();
  const names = spans().map(({ attributes }) => attributes['pgauge.auth.provider.name']);
  expect(names).toContain('awsRdsIam');
  expect(names).not.toContain('other');
});
