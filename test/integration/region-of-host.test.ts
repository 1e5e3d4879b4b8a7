import { beforeEach, describe, expect, test } from 'vitest';
import { newDynamicAuthFunc, newPool, newPoolSync, type Config } from '../../src/index.js';
import { setEnv, useCleanEnvironment } from '../support/environment.js';
import { RecordingLogger } from '../support/logger.js';
import { EXAMPLE_KEYS, iamConfig, newTarget, parameter } from '../support/tokens.js';

const ENDPOINT = 'db.abc.eu-central-1.rds.amazonaws.com';
const REFUSED = {
  name: 'AuthError',
  message:
    'dynamic auth (awsRdsIam): db.internal is not the name of an RDS endpoint, from which to read the region: give the region itself',
};

useCleanEnvironment();
beforeEach(() => setEnv(EXAMPLE_KEYS));

const config = (places: Partial<Config>): Config => ({
  ...iamConfig({ dynamicAuth: { awsRdsIam: { region: 'host' } } }),
  host: ENDPOINT,
  ...places,
});
const options = { logger: new RecordingLogger() };

describe('region "host"', () => {
  test.each<[string, Partial<Config>]>([
    ['a host', { host: 'db.internal' }],
    ['one of several hosts', { host: undefined, hosts: [{ host: ENDPOINT }, { host: 'db.internal' }] }],
  ])('is refused by newPool for %s whose name contains no region', async (_title, places) => {
    await expect(newPool(config(places), options)).rejects.toMatchObject(REFUSED);
    expect(() => newPoolSync(config(places), options)).toThrow(expect.objectContaining(REFUSED));
  });

  test('is accepted for an RDS endpoint, by newPool and newPoolSync', async () => {
    await (await newPool(config({}), options)).end();
    await newPoolSync(config({}), options).end();
  });

  test('is read from the host that a hook set, whatever the host in the config', async () => {
    const hook = await newDynamicAuthFunc(config({ host: 'db.internal' }), 'app');
    const target = newTarget({ host: ENDPOINT });
    await hook(target);
    expect(parameter(target.password, 'X-Amz-Credential')).toContain('/eu-central-1/rds-db/');
  });
});
