import { Signer } from '@aws-sdk/rds-signer';
import { existsSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, it } from 'vitest';
import { startLocalRds } from '../index.js';
import { isAlive } from '../processes.js';

it('local-rds starts with the given names, region and settings, and an environment with which the AWS SDK can sign', async () => {
  await using rds = await startLocalRds({
    user: 'svc "x"',
    database: 'my db',
    region: 'us-east-1',
    advertisedHost: ['db.internal', 'localhost'],
    postgres: { settings: { max_connections: '25' } },
  });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = rds.awsEnv;
  const signer = new Signer({
    hostname: rds.host,
    port: rds.port,
    username: rds.user,
    region: AWS_REGION,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  });
  const client = new pg.Client({
    host: '127.0.0.1',
    port: rds.port,
    user: rds.user,
    database: rds.database,
    password: await signer.getAuthToken(),
    ssl: { ca: readFileSync(rds.caFile), servername: 'db.internal' },
  });
  await client.connect();
  const { rows } = await client.query(
    `SELECT current_user AS u, current_database() AS d, current_setting('max_connections') AS m,
       pg_has_role(current_user, 'rds_iam', 'member') AS iam`,
  );
  await client.query('CREATE TABLE owned ()');
  await client.end();
  expect(rows).toEqual([{ u: 'svc "x"', d: 'my db', m: '25', iam: true }]);
});

it('local-rds leaves nothing behind when it stops or cannot start', async () => {
  const rds = await startLocalRds();
  const { pid, socketDir } = rds.postgres;
  await expect(startLocalRds({ port: rds.port })).rejects.toThrow(`cannot listen on port ${rds.port}`);
  await rds.stop();
  expect(isAlive(pid ?? 0)).toBe(false);
  expect(existsSync(socketDir)).toBe(false);
  expect(existsSync(rds.caFile)).toBe(false);
});
