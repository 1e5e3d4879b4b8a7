import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startImds, type Imds, type ImdsFault } from '../../local-rds/index.js';
import { newAuthToken, newPool, type Config } from '../../src/index.js';
import { setEnv, useCleanEnvironment, useImds } from '../support/environment.js';
import { useFakeServer } from '../support/fake-server.js';
import { iamConfig, useIamPools } from '../support/iam.js';
import { RecordingLogger } from '../support/logger.js';
import { useLocalRds } from '../support/servers.js';
import { rejection } from '../support/until.js';

const rds = useLocalRds({ region: 'us-gov-west-1' });
useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);
const listener = useFakeServer();

const REGION = 'GET /latest/meta-data/placement/region';
const DETECT = { dynamicAuth: { awsRdsIam: { region: 'detect' } } };
/** What the rules allow for an answer that never comes, in milliseconds. */
const LONGEST_MS = 8_000;

let imds: Imds;
beforeAll(async () => {
  imds = await startImds({ region: 'us-gov-west-1' });
});
afterEach(() => imds.set({}));
afterAll(() => imds.stop());

describe('region "detect"', () => {
  test('is asked for once, however many connections are made, and signs for the answer', async () => {
    // The SDK's own region must not stand in for the instance's.
    setEnv({ AWS_REGION: 'eu-west-1' });
    useImds(imds.endpoint);
    const before = imds.calls()[REGION] ?? 0;
    const pool = await makePool(DETECT);
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release(true);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect((imds.calls()[REGION] ?? 0) - before).toBe(1);
  });

  test('serves newAuthToken too', async () => {
    useImds(imds.endpoint);
    const token = await newAuthToken(iamConfig(rds(), DETECT), rds().user);
    expect(token).toContain('%2Fus-gov-west-1%2Frds-db%2F');
  });
});

describe('newPool rejects, names IMDS and dials nothing when the metadata service', () => {
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

  test.each<[string, ImdsFault]>([
    ['answers 404', { status: 404 }],
    ['answers 500', { status: 500 }],
    ['answers nothing', { path: '/latest/meta-data', body: '' }],
    ['answers HTML', { path: '/latest/meta-data', body: '<html>canary: please log in</html>' }],
    ['answers a region and a new line', { path: '/latest/meta-data', body: 'us-east-1\r\nx-canary: 1' }],
    ['answers what is no region', { path: '/latest/meta-data', body: 'canary.example/../' }],
    ['refuses a session token', { path: '/latest/api/token', status: 403 }],
    ['hangs', { hang: true }],
    ['hangs after the session token', { path: '/latest/meta-data', hang: true }],
  ])('%s', async (_how, fault) => {
    useImds(imds.endpoint);
    imds.set(fault);
    expect((await refused()).message).not.toContain('canary');
    imds.set({});
    // Nothing of the failure is remembered.
    expect((await (await makePool(DETECT)).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('does not listen', async () => {
    const dead = await startImds();
    useImds(dead.endpoint);
    await dead.stop();
    await refused();
  });

  test('is switched off', async () => {
    useImds(imds.endpoint);
    setEnv({ AWS_EC2_METADATA_DISABLED: 'true' });
    expect((await refused()).message).toContain('AWS_EC2_METADATA_DISABLED');
  });
});
