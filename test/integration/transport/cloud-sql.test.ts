import { AuthTypes, Connector, IpAddressTypes } from '@google-cloud/cloud-sql-connector';
import { OAuth2Client } from 'google-auth-library';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cloudSqlPool } from '../../../examples/transports/cloud-sql.js';
import { fromPgConfig, newPool } from '../../../src/index.js';
import { CloudSql } from '../../support/cloud-sql.js';
import { RecordingLogger } from '../../support/logger.js';
import { usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const server = usePostgres();
let cloud: CloudSql;
let connector: Connector;

beforeAll(async () => {
  cloud = await CloudSql.start(`${server().socketDir}/.s.PGSQL.${server().port}`);
  const auth = new OAuth2Client();
  auth.setCredentials({ access_token: cloud.accessToken, expiry_date: Date.now() + 3_600_000 });
  connector = new Connector({ auth, sqlAdminAPIEndpoint: cloud.endpoint });
});
afterAll(() => {
  connector.close();
  cloud.close();
});

const instance = () => ({
  instanceConnectionName: cloud.instance,
  ipType: IpAddressTypes.PUBLIC,
  authType: AuthTypes.PASSWORD,
});
const login = () => ({ host: 'orders', port: 5432, user: server().user, database: server().database });

test('a pool connects through the connector of Cloud SQL, and cancels through it', async () => {
  const log = new RecordingLogger();
  const pool = await cloudSqlPool(
    connector,
    instance(),
    { ...login(), maxOpenConns: 1 },
    { logger: log, queryTimeoutMs: 700 },
  );
  const before = cloud.accepted;
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  expect((await rejection(pool.query('select pg_sleep(60)'))).message).toContain('timeout');
  expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
  expect(cloud.accepted - before).toBe(2);
  await pool.end();
  expect(log.closeReasons).toEqual(['pool_end']);
});

test("the connector's settings for pg work through fromPgConfig", async () => {
  const { stream } = await connector.getOptions(instance());
  const made = fromPgConfig({ ...login(), stream, max: 3 });
  const pool = await newPool(made.config, { ...made.options, logger: new RecordingLogger() });
  const before = cloud.accepted;
  const one = async () => (await pool.query<{ one: number }>('select 1 as one')).rows;
  expect(await Promise.all([one(), one(), one()])).toEqual(Array(3).fill([{ one: 1 }]));
  expect(cloud.accepted - before).toBe(3);
  await pool.end();
});
