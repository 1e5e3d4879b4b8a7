import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setEnv, useCleanEnvironment } from '../support/environment.js';
import { useIamPools } from '../support/iam.js';
import { useLocalRds } from '../support/servers.js';

const place = useCleanEnvironment();
const rds = useLocalRds();
const makePool = useIamPools(rds);
const ROLE = 'arn:aws:iam::222222222222:role/orders-login';

/** The questions that the stand-in for STS was asked. */
const asked: URLSearchParams[] = [];
let sts: Server;

beforeAll(async () => {
  sts = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += String(piece)));
    request.on('end', () => {
      asked.push(new URLSearchParams(body));
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = rds().credentials.issueTemporary({
        lifetimeMs: 3_600_000,
      });
      response.writeHead(200, { 'content-type': 'text/xml' }).end(
        `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
          <AssumedRoleUser><AssumedRoleId>AROA:orders</AssumedRoleId><Arn>${ROLE}</Arn></AssumedRoleUser>
          <Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>
          <SessionToken>${sessionToken}</SessionToken><Expiration>${expiration.toISOString()}</Expiration></Credentials>
        </AssumeRoleResult></AssumeRoleResponse>`,
      );
    });
  });
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void sts.close());

describe('a role of another account', () => {
  test('is assumed by the profile that names it, once for all connections, and its credentials sign the tokens', async () => {
    const config = join(place.home, 'aws-config');
    writeFileSync(
      config,
      [
        '[profile base]',
        'aws_access_key_id = AKIDEXAMPLE',
        'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
        '[profile orders]',
        `role_arn = ${ROLE}`,
        'source_profile = base',
        'external_id = shop',
        'role_session_name = orders',
      ].join('\n'),
      { mode: 0o600 },
    );
    setEnv({
      AWS_CONFIG_FILE: config,
      AWS_PROFILE: 'orders',
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(sts.address() as AddressInfo).port}`,
    });
    const pool = await makePool({ maxOpenConns: 3 });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    expect(asked.map((question) => Object.fromEntries(question))).toMatchObject([
      { Action: 'AssumeRole', RoleArn: ROLE, ExternalId: 'shop', RoleSessionName: 'orders' },
    ]);
    expect(rds().gate.stats()).toMatchObject({ tokensAccepted: 3 });
  });
});
