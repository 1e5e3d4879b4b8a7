import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startImds, type Imds, type HttpFault } from '../../../local-rds/index.js';
import { newAuthToken, newPool, type Config, type InstrumentedPool } from '../../../src/index.js';
import { causes } from '../../support/errors.js';
import { setEnv, useCleanEnvironment, useImds } from '../../support/environment.js';
import { useFakeServer } from '../../support/fake-server.js';
import { useIamPools } from '../../support/iam.js';
import { iamConfig } from '../../support/rds-configs.js';
import { RecordingLogger } from '../../support/logger.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const rds = useLocalRds({ region: 'us-gov-west-1' });
useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);
const listener = useFakeServer();

const REGION = 'GET /latest/meta-data/placement/region';
const DETECT = { dynamicAuth: { awsRdsIam: { region: 'detect' } } };
/** A generous bound for giving up when no answer arrives, in milliseconds: well before the connect timeout. */
const LONGEST_MS = 12_000;

let imds: Imds;
beforeAll(async () => {
  imds = await startImds({
    region: 'us-gov-west-1',
    credentials: (lifetimeMs) => rds().credentials.issueTemporary({ lifetimeMs }),
  });
});
afterEach(() => imds.set({}));
afterAll(() => imds.stop());

describe('region "detect"', () => {
  test('is detected once for any number of connections, and tokens are signed for it', async () => {
    // The SDK's own region must not replace that of the instance.
    setEnv({ AWS_REGION: 'eu-west-1' });
    useImds(imds.endpoint);
    const before = imds.calls()[REGION] ?? 0;
    const pool = await makePool(DETECT);
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release(true);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect((imds.calls()[REGION] ?? 0) - before).toBe(1);
  });

  test('works in newAuthToken too', async () => {
    useImds(imds.endpoint);
    const token = await newAuthToken(iamConfig(rds(), DETECT), rds().user);
    expect(token).toContain('%2Fus-gov-west-1%2Frds-db%2F');
  });
});

describe('newPool rejects, names IMDS and dials no connection when the metadata service', () => {
  const refused = async (): Promise<Error> => {
    const config: Config = {
      ...{ host: listener.host, port: listener.port, user: 'app', database: 'app', minConns: 1 },
      ...DETECT,
    };
    const log = new RecordingLogger();
    const startedAt = performance.now();
    const error = await rejection(newPool(config, { logger: log }));
    expect(performance.now() - startedAt).toBeLessThan(LONGEST_MS);
    expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_PGAUGE_AUTH' });
    expect(error.message.startsWith('dynamic auth (awsRdsIam): failed to detect region from IMDS: ')).toBe(
      true,
    );
    expect(await listener.dialled()).toBe(0);
    expect(log.records).toEqual([]);
    return error;
  };

  test.each<[string, HttpFault]>([
    ['answers 404', { status: 404 }],
    ['answers 500', { status: 500 }],
    ['answers nothing', { path: '/latest/meta-data', body: '' }],
    ['answers HTML', { path: '/latest/meta-data', body: '<html>canary: please log in</html>' }],
    ['answers a region and a new line', { path: '/latest/meta-data', body: 'us-east-1\r\nx-canary: 1' }],
    [
      'answers with something that is not a region',
      { path: '/latest/meta-data', body: 'canary.example/../' },
    ],
    ['refuses a session token', { path: '/latest/api/token', status: 403 }],
    ['hangs', { hang: true }],
    ['hangs after the session token', { path: '/latest/meta-data', hang: true }],
  ])('%s', async (_how, fault) => {
    useImds(imds.endpoint);
    imds.set(fault);
    expect((await refused()).message).not.toContain('canary');
    imds.set({});
    // The failure is not remembered.
    expect((await (await makePool(DETECT)).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('does not listen', async () => {
    const dead = await startImds();
    useImds(dead.endpoint);
    await dead.stop();
    await refused();
  });

  test('is disabled', async () => {
    useImds(imds.endpoint);
    setEnv({ AWS_EC2_METADATA_DISABLED: 'true' });
    expect((await refused()).message).toContain('AWS_EC2_METADATA_DISABLED');
  });
});

describe("a pool with the instance's credentials rejects, names IMDS and dials no connection when the metadata service", () => {
  const ROLES = '/latest/meta-data/iam/security-credentials/';
  const withoutKeys = (): void =>
    setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_REGION: undefined });

  const refused = async (pool: InstrumentedPool): Promise<Error> => {
    const { connections } = rds().gate.stats();
    const startedAt = performance.now();
    const error = await rejection(pool.query('select 1'));
    expect(performance.now() - startedAt).toBeLessThan(LONGEST_MS);
    expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_PGAUGE_AUTH' });
    expect(error.message).toMatch(
      /^dynamic auth \(awsRdsIam\): failed to build authentication token: no credentials from IMDS: ./,
    );
    expect(causes(error).map(String).join()).not.toContain('canary');
    expect(rds().gate.stats().connections).toBe(connections);
    expect(pool.totalCount).toBe(0);
    return error;
  };

  test.each<[string, HttpFault]>([
    ['answers 404', { path: ROLES, status: 404 }],
    ['answers 500', { path: ROLES, status: 500 }],
    ['names no role', { path: ROLES, body: '' }],
    ['answers HTML', { path: ROLES, body: '<html>canary: please log in</html>' }],
    ['names a role and a new line', { path: ROLES, body: 'role\r\nx-canary: 1' }],
    ['returns no credentials', { path: `${ROLES}local-rds`, body: '' }],
    ['returns HTML instead of credentials', { path: `${ROLES}local-rds`, body: '<html>canary</html>' }],
    ['returns credentials without a secret', { path: `${ROLES}local-rds`, body: '{"AccessKeyId":"canary"}' }],
    ['refuses a session token', { path: '/latest/api/token', status: 403 }],
    ['hangs', { hang: true }],
    ['hangs after the session token', { path: ROLES, hang: true }],
  ])('%s, and works once the service does', async (_how, fault) => {
    withoutKeys();
    useImds(imds.endpoint);
    imds.set(fault);
    const pool = await makePool();
    const error = await refused(pool);
    expect(pool.log.named('postgres token refresh failed')).toMatchObject([
      { level: 'warn', fields: { provider: 'awsRdsIam' } },
    ]);
    expect(error.cause).toBeInstanceOf(Error);
    imds.set({});
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('does not listen', async () => {
    withoutKeys();
    const dead = await startImds();
    useImds(dead.endpoint);
    await dead.stop();
    await refused(await makePool());
  });

  test('hangs for longer than the connect deadline, which ends the attempt', async () => {
    withoutKeys();
    useImds(imds.endpoint);
    imds.set({ hang: true });
    const pool = await makePool({}, { connectTimeoutMs: 300 });
    const error = await rejection(pool.query('select 1'));
    expect(error.message).toMatch(/^dynamic auth \(awsRdsIam\): .*timeout after 300 ms/);
    expect(pool.totalCount).toBe(0);
  });
});
