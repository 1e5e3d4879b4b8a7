import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSts, type Sts } from '../../local-rds/index.js';
import { setEnv, useCleanEnvironment } from '../support/environment.js';
import { useIamPools } from '../support/iam.js';
import { useLocalRds } from '../support/servers.js';
import { rejection } from '../support/until.js';

const place = useCleanEnvironment();
const rds = useLocalRds();
const makePool = useIamPools(rds);
const ROLE = 'arn:aws:iam::222222222222:role/orders-login';

let sts: Sts;
beforeEach(async () => {
  const { credentials, region } = rds();
  sts = await startSts({ credentials, region, roles: [{ arn: ROLE, externalId: 'shop' }] });
  setEnv(sts.env);
});
afterEach(() => sts.stop());

describe('a role of another account', () => {
  test('is assumed through the profile that names it, once for all connections, and its credentials sign the tokens', async () => {
    const { accessKeyId, secretAccessKey } = rds().credentials.current;
    const config = join(place.home, 'aws-config');
    writeFileSync(
      config,
      [
        '[profile base]',
        `aws_access_key_id = ${accessKeyId}`,
        `aws_secret_access_key = ${secretAccessKey}`,
        '[profile orders]',
        `role_arn = ${ROLE}`,
        'source_profile = base',
        'external_id = shop',
        'role_session_name = orders',
      ].join('\n'),
      { mode: 0o600 },
    );
    setEnv({ AWS_CONFIG_FILE: config, AWS_PROFILE: 'orders' });
    const pool = await makePool({ maxOpenConns: 3 });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    expect(sts.assumed).toMatchObject([{ roleArn: ROLE, sessionName: 'orders' }]);
    expect(rds().gate.stats()).toMatchObject({ tokensAccepted: 3 });
  });
});

describe('the role of a Kubernetes service account', () => {
  const POD_ROLE = 'arn:aws:iam::123456789012:role/orders-pod';

  /** Sets the variables and the file that EKS provides to a pod. */
  function mount(token: string): void {
    const file = join(place.home, 'token');
    writeFileSync(file, token, { mode: 0o600 });
    setEnv({
      AWS_ROLE_ARN: POD_ROLE,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_SESSION_NAME: 'orders',
    });
  }

  test('is assumed with the token from its file, once for all connections, and its credentials sign the tokens', async () => {
    mount(sts.issueWebIdentity(POD_ROLE));
    const { tokensAccepted } = rds().gate.stats();
    const pool = await makePool({ maxOpenConns: 3 });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    expect(sts.assumed).toMatchObject([{ roleArn: POD_ROLE, sessionName: 'orders' }]);
    expect(rds().gate.stats().tokensAccepted).toBe(tokensAccepted + 3);
  });

  test('is assumed with the token that the file holds at that time', async () => {
    const old = sts.issueWebIdentity(POD_ROLE);
    mount(old);
    const pool = await makePool();
    (await pool.connect()).release(true);
    sts.revokeWebIdentity(old);
    mount(sts.issueWebIdentity(POD_ROLE));
    rds().credentials.remove(sts.assumed[0]?.key.accessKeyId ?? '');
    expect(await rejection(pool.connect())).toMatchObject({ code: '28000' });
    (await pool.connect()).release();
    expect(sts.assumed).toHaveLength(2);
  });

  test('is refused with a token of another role, and the error does not contain the token', async () => {
    const token = sts.issueWebIdentity('arn:aws:iam::123456789012:role/another');
    mount(token);
    const error = await rejection((await makePool()).query('select 1'));
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_AUTH' });
    expect(error.message).toMatch(/not authorized to perform: sts:AssumeRoleWithWebIdentity/);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(token);
  });
});
