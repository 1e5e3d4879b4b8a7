import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { dsqlVerifier } from '../../../local-rds/index.js';
import type { Config, PoolOptions } from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const CLUSTER = 'abc123.dsql.eu-central-1.on.aws';
const MINUTE_MS = 60_000;

const rds = useLocalRds();
const makePool = useIamPools(rds);
useCleanEnvironment(() => rds().awsEnv);

beforeAll(async () => {
  const { region, credentials } = rds();
  const verifier = dsqlVerifier({ host: CLUSTER, region, credentials });
  for (const user of ['dsql_user', 'admin']) await rds().createUser(user, { verifier });
});

/** A pool on the cluster, whose name resolves to the stand-in. */
const poolOn = (config: Partial<Config> = {}, options: PoolOptions = {}) =>
  makePool(
    { host: CLUSTER, user: 'dsql_user', dynamicAuth: { awsDsql: {} }, ...config },
    { dial: () => connect(rds().port, '127.0.0.1'), ...options },
  );

describe('Aurora DSQL', () => {
  test.each(['dsql_user', 'admin'])('logs in as %s, with the region from the host name', async (user) => {
    const pool = await poolOn({ user });
    const before = rds().gate.stats().tokensAccepted;
    expect((await pool.query('select current_user as who')).rows).toEqual([{ who: user }]);
    expect(rds().gate.stats().tokensAccepted).toBe(before + 1);
  });

  test('signs the host name without its trailing dot, and signs a token for every attempt', async () => {
    const pool = await poolOn({ host: `${CLUSTER}.`, maxOpenConns: 3 });
    const clients = await Promise.all([1, 2, 3].map(() => pool.connect()));
    for (const client of clients) client.release();
    expect(pool.totalCount).toBe(3);
  });

  test('recognises a rejected login, although its SQLSTATE is that of a connection failure', async () => {
    const pool = await poolOn({ dynamicAuth: { awsDsql: { region: 'us-east-1' } } });
    expect(await rejection(pool.query('select 1'))).toMatchObject({
      code: '08006',
      message: 'unable to accept connection, access denied',
    });
    const [record] = pool.log.named('postgres connect failed');
    expect(record?.fields['hint']).toMatch(
      /\(AWS IAM GRANT\); it was signed for DbConnect at abc123\..* in us-east-1, and the cluster is in eu-central-1$/,
    );
  });

  test.each<[string, Partial<Config>]>([
    ['a host', { host: 'db.example.com' }],
    ['one of several hosts', { host: undefined, hosts: [{ host: CLUSTER }, { host: 'db.example.com' }] }],
  ])('refuses a pool without a region on %s whose name contains none', async (_title, config) => {
    expect(await rejection(poolOn(config))).toMatchObject({
      name: 'AuthError',
      message:
        'dynamic auth (awsDsql): the region is not configured, and db.example.com is not the name of a cluster, which has it: set region',
    });
    const region = { awsDsql: { region: 'eu-central-1' } };
    await poolOn({ ...config, dynamicAuth: region });
  });

  test('retires connections before the server ends them, unless the config sets a lifetime', async () => {
    const { options } = await poolOn();
    expect(options.maxLifetimeSeconds).toBe(55 * 60);
    const other = await poolOn({ connMaxLifetimeMs: 5 * MINUTE_MS });
    expect(other.options.maxLifetimeSeconds).toBe(5 * 60);
  });

  test('recovers after the key is rotated: after a rejected login, the next attempt fetches the new key', async () => {
    const pool = await poolOn({}, { maxUses: 1 });
    await pool.query('select 1');
    const { accessKeyId } = rds().credentials.current;
    rds().credentials.rotate();
    expect(rds().credentials.find(accessKeyId)).toBeUndefined();
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '08006' });
    setEnv(rds().awsEnv);
    await pool.query('select 1');
  });
});
