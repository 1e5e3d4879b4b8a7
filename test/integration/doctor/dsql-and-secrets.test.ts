import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dsqlVerifier,
  startSecretsManager,
  type SecretsManager,
  type TemporaryAccessKey,
} from '../../../local-rds/index.js';
import { maskedKeyId } from '../../../src/auth/aws/doctor/source.js';
import { useLocalRds } from '../../support/servers.js';
import { diagnose, expectFailure, expectWarning } from './run-doctor.js';

const SECRET = 'app/db';
const PASSWORD = 'canary-of-a-password';
const MINUTE_MS = 60_000;

/** Turns off the Secrets Manager client's warning about Node 20 on stderr, where the doctor writes nothing. */
const NO_WARNING = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

const rds = useLocalRds();
const env = (more: Readonly<Record<string, string>> = {}) => ({ PGSSLROOTCERT: rds().caFile, ...more });
const argsFor = (user: string, ...flags: string[]): string[] => [
  ...['--host', 'localhost', '--port', String(rds().port), '--database', rds().database],
  ...['--user', user, '--ssl-mode', 'verify-full', ...flags],
];

/** The keys of a session that expires after this time, as variables, and the secrets among them. */
function sessionFor(lifetimeMs: number) {
  const key: TemporaryAccessKey = rds().credentials.issueTemporary({ lifetimeMs });
  return {
    key,
    secrets: [key.accessKeyId, key.secretAccessKey, key.sessionToken, PASSWORD],
    env: env({
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_SESSION_TOKEN: key.sessionToken,
      AWS_CREDENTIAL_EXPIRATION: key.expiration.toJSON(),
    }),
  };
}

describe('the doctor on Aurora DSQL', () => {
  const USER = 'dsql_app';
  const region = () => ['--dsql-region', rds().region];
  beforeAll(async () => {
    const { host, region: of, credentials } = rds();
    await rds().createUser(USER, { verifier: dsqlVerifier({ host, region: of, credentials }) });
  });

  it('names the source, key and expiration of the credentials and what the token allows, and logs in', async () => {
    const session = sessionFor(50 * MINUTE_MS);
    const diagnosis = await diagnose({ ...session, args: argsFor(USER, ...region()) });
    expect(diagnosis.failed).toEqual([]);
    expect(diagnosis.step('credentials')).toMatchObject({
      status: 'ok',
      facts: {
        ...{ source: 'environment', access_key_id: maskedKeyId(session.key.accessKeyId), temporary: true },
        expires_at: session.key.expiration.toJSON(),
      },
    });
    expect(diagnosis.step('token')).toMatchObject({
      status: 'ok',
      facts: { action: 'DbConnect', region: rds().region },
    });
    expect(diagnosis.step('login').status).toBe('ok');
  });

  it('warns about credentials that expire soon', async () => {
    const diagnosis = await diagnose({ ...sessionFor(9 * MINUTE_MS), args: argsFor(USER, ...region()) });
    expectWarning(diagnosis, 'credentials', 'credentials_expire_soon', 'before a token would');
    expect(diagnosis.step('login').status).toBe('ok');
  });

  it('says that there are no credentials', async () => {
    const diagnosis = await diagnose({ args: argsFor(USER, ...region()), env: env() });
    expectFailure(diagnosis, 'credentials', 'credentials_missing', 'aws sso login');
    expect(diagnosis.step('credentials').found).toContain('dynamic auth (awsDsql): ');
    expect(diagnosis.step('login').because).toBe('credentials');
  });

  it('says why a token for another region is refused, although DSQL reports a connection failure', async () => {
    const args = argsFor(USER, '--dsql-region', 'us-east-1');
    const diagnosis = await diagnose({ ...sessionFor(50 * MINUTE_MS), args });
    expectFailure(diagnosis, 'login', 'token_rejected', 'dsql:DbConnect');
    expect(diagnosis.failed).toEqual(['login']);
  });
});

describe('the doctor on a secret of Secrets Manager', () => {
  const USER = 'shop';
  let service: SecretsManager;
  beforeAll(async () => {
    await rds().createUser(USER, { password: PASSWORD });
    service = await startSecretsManager({ credentials: rds().credentials, region: rds().region });
    service.put(SECRET, { username: USER, password: PASSWORD });
  });
  afterAll(() => service.stop());

  const check = (secretId: string, session = sessionFor(50 * MINUTE_MS)) => {
    const args = argsFor('replaced', '--secret-id', secretId, '--secret-region', rds().region);
    return diagnose({
      args,
      env: { ...session.env, ...service.env, ...NO_WARNING },
      secrets: session.secrets,
    });
  };

  it('names the source, key and expiration of the credentials and the secret with its user, and logs in as that user', async () => {
    const session = sessionFor(50 * MINUTE_MS);
    const diagnosis = await check(SECRET, session);
    expect(diagnosis.failed).toEqual([]);
    expect(diagnosis.step('credentials')).toMatchObject({
      status: 'ok',
      facts: {
        ...{ source: 'environment', access_key_id: maskedKeyId(session.key.accessKeyId) },
        ...{ expires_at: session.key.expiration.toJSON(), secret: SECRET, region: rds().region, user: USER },
      },
    });
    expect(diagnosis.step('login').status).toBe('ok');
  });

  it('says that the secret cannot be read, and which permission may be missing', async () => {
    const diagnosis = await check('absent');
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', 'secretsmanager:GetSecretValue');
    expect(diagnosis.step('credentials').facts).toMatchObject({ source: 'environment', secret: 'absent' });
  });

  it('quotes nothing of a secret that is not JSON', async () => {
    service.put('odd', PASSWORD);
    const diagnosis = await check('odd');
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', 'as a JSON object');
    expect(diagnosis.step('credentials').found).toContain('it is not JSON');
  });

  it('says that the server rejects the password in the secret, without showing it', async () => {
    service.put('stale', { username: USER, password: 'canary-of-an-old-password' });
    const session = sessionFor(50 * MINUTE_MS);
    const secrets = [...session.secrets, 'canary-of-an-old-password'];
    expectFailure(await check('stale', { ...session, secrets }), 'login', 'token_rejected', 'stale');
  });
});
