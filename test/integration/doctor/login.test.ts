import { writeFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startImds } from '../../../local-rds/index.js';
import type { Arguments } from '../../../src/doctor/arguments.js';
import { checkToken } from '../../../src/doctor/checks/token.js';
import { Session } from '../../../src/doctor/session.js';
import { settingsOf } from '../../../src/doctor/settings.js';
import { useLocalRds } from '../../support/servers.js';
import {
  diagnose,
  emptyHome,
  expectFailure,
  expectWarning,
  iamArgs,
  runDoctor,
  type Diagnosis,
} from './run-doctor.js';

const rds = useLocalRds();
const SKEWED_CLOCK = new URL('./programs/skewed-clock.ts', import.meta.url).href;
const CANARY = 'canary-of-a-credential-endpoint';

async function diagnoseRds(
  args: readonly string[],
  env: Readonly<Record<string, string>> = rds().awsEnv,
): Promise<Diagnosis> {
  const secrets = [rds().credentials.current.secretAccessKey, CANARY];
  return await diagnose({ args: [...iamArgs(rds()), ...args], env, secrets });
}

async function diagnoseByPassword(
  user: string,
  database: string,
  password: Readonly<Record<string, string>> = { PGPASSWORD: CANARY },
): Promise<Diagnosis> {
  const { port, caFile } = rds();
  return await diagnose({
    args: ['--host', 'localhost', '--port', String(port), '--user', user, '--database', database],
    env: { PGSSLROOTCERT: caFile, ...password },
    secrets: [CANARY],
  });
}

describe('credentials', () => {
  it('says that there are none, and where they could come from', async () => {
    const diagnosis = await diagnoseRds([], {});
    expectFailure(diagnosis, 'credentials', 'credentials_missing', 'aws sso login');
    expect(diagnosis.step('credentials').found).toMatch(/^dynamic auth \(awsRdsIam\): /);
    expect(diagnosis.step('token').because).toBe('credentials');
    expect(diagnosis.step('login').because).toBe('credentials');
    expect(diagnosis.step('tls').status).toBe('ok');
  });

  it('names the file that should give them when it gives none', async () => {
    const home = emptyHome();
    const file = home['AWS_CONFIG_FILE'] ?? '';
    writeFileSync(file, `[default]\ncredential_process = sh -c "echo ${CANARY} >&2; exit 3"\n`);
    const diagnosis = await diagnoseRds([], home);
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', file);
  });

  it.each([
    [10 * 60_000, 'credentials_expire_soon', 'ends in 10 min', 'before a token would'],
    [-3 * 3_600_000, 'credentials_expired', 'ended 3 h ago', 'renew them'],
  ])('warns of credentials whose time ends in %i ms, and still logs in', async (ms, code, found, remedy) => {
    const AWS_CREDENTIAL_EXPIRATION = new Date(Date.now() + ms + 20_000).toISOString();
    const diagnosis = await diagnoseRds([], { ...rds().awsEnv, AWS_CREDENTIAL_EXPIRATION });
    expectWarning(diagnosis, 'credentials', code, remedy);
    expect(diagnosis.step('credentials').found).toContain(found);
    expect(diagnosis.step('login').status).toBe('ok');
  });

  it('says that they were gone when the token was signed', async () => {
    const { port, user, database, region } = rds();
    const session = new Session(settingsOf({ max: 1, timeoutMs: 1 } as Arguments, {}), {});
    const dynamicAuth = { awsRdsIam: { region } };
    session.set('config', { host: 'localhost', port, user, database, dynamicAuth });
    for (const [name, value] of Object.entries(emptyHome())) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const outcome = await checkToken(session, new AbortController().signal);
    expect(outcome).toMatchObject({ status: 'failed', code: 'token_failed' });
    expect(outcome.remedy).toBe('look at the credentials above');
  });

  it('says what the credential endpoint answers', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(500).end(CANARY);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const diagnosis = await diagnoseRds([], {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${host}/`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: CANARY,
    });
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', 'AWS_CONTAINER_CREDENTIALS_FULL_URI');
    expect(diagnosis.step('credentials').found).toContain(`${host} answers HTTP 500`);
    expect(new Set(seen)).toEqual(new Set([CANARY]));
  });

  it('gives up on a credential endpoint that never answers, and ends', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const diagnosis = await diagnoseRds(['--timeout', '6'], {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    });
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', 'AWS_CONTAINER_CREDENTIALS_FULL_URI');
  });

  it('says that the region cannot be detected', async () => {
    await using imds = await startImds();
    imds.set({ path: '/latest/meta-data/placement', status: 404 });
    const diagnosis = await diagnoseRds(['--region', 'detect'], {
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
    });
    expectFailure(diagnosis, 'region', 'region_unknown', 'name the region (--region us-east-1)');
    expect(diagnosis.step('region').found).toContain('failed to detect region from IMDS');
    expect(diagnosis.step('login').because).toBe('region');
  });

  it('gives up on a metadata service that hangs', async () => {
    await using imds = await startImds();
    imds.set({ hang: true });
    const diagnosis = await diagnoseRds(['--region', 'detect', '--timeout', '6'], {
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
    });
    expectFailure(diagnosis, 'region', 'region_unknown', 'hop limit of 2');
    expect(diagnosis.failed).toEqual(['region']);
  });

  it("warns of a region that the host's name contradicts", async () => {
    const host = 'no-such-database.abc.us-east-1.rds.amazonaws.com';
    const diagnosis = await diagnoseRds(['--host', host]);
    expectWarning(diagnosis, 'region', 'region_mismatch', '--region us-east-1');
    expect(diagnosis.step('region').facts).toMatchObject({ host_region: 'us-east-1' });
  });

  it('refuses a region that is none', async () => {
    expectFailure(
      await diagnoseRds(['--region', 'Frankfurt']),
      'region',
      'region_invalid',
      '--region us-east-1',
    );
  });
});

describe('a login that is refused', () => {
  it('says that the user was not granted rds_iam', async () => {
    await rds().createUser('not_granted', { password: CANARY });
    const diagnosis = await diagnoseRds(['--user', 'not_granted']);
    expectFailure(diagnosis, 'login', 'not_granted_rds_iam', 'GRANT rds_iam TO "not_granted";');
    expect(diagnosis.step('login').facts['sqlstate']).toBe('28P01');
    expect(diagnosis.failed).toEqual(['login']);
    expect(diagnosis.step('server').because).toBe('login');
  });

  it('measures the clock and names it when the token is refused for it', async () => {
    await using imds = await startImds({
      credentials: (lifetimeMs) => rds().credentials.issueTemporary({ lifetimeMs }),
    });
    const diagnosis = await diagnoseRds([], {
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
      NODE_OPTIONS: `--import=tsx --import=${SKEWED_CLOCK}`,
      SKEW_MS: String(20 * 60_000),
    });
    expectWarning(diagnosis, 'token', 'clock_skew', "set this machine's clock");
    expectFailure(
      diagnosis,
      'login',
      'token_rejected',
      "this machine's clock is 20 min ahead of the metadata service",
    );
    expect(rds().gate.stats().lastRejectReason).toBe('dated in the future');
  });

  it('names the clock among the causes where it cannot be measured', async () => {
    rds().gate.set({ clock: () => new Date(Date.now() + 20 * 60_000) });
    onTestFinished(() => rds().gate.set({ clock: () => new Date() }));
    const diagnosis = await diagnoseRds([]);
    expectFailure(diagnosis, 'login', 'token_rejected', 'check the clock, the IAM policy');
    expect(rds().gate.stats().lastRejectReason).toBe('expired');
  });

  it('names the key among the causes when it was revoked', async () => {
    const revoked = rds().awsEnv;
    rds().credentials.rotate();
    const diagnosis = await diagnoseRds([], revoked);
    expectFailure(diagnosis, 'login', 'token_rejected', 'that the key is still active');
    expect(rds().gate.stats().lastRejectReason).toBe('unknown access key');
    expect(diagnosis.table).not.toContain(revoked.AWS_SECRET_ACCESS_KEY);
    expect(JSON.stringify(diagnosis.json)).not.toContain(revoked.AWS_SECRET_ACCESS_KEY);
  });

  it('says that the database does not exist', async () => {
    const diagnosis = await diagnoseRds(['--database', 'nowhere']);
    expectFailure(diagnosis, 'login', 'database_missing', 'create the database nowhere');
    expect(diagnosis.step('login').facts['sqlstate']).toBe('3D000');
  });

  it('says where the wrong password came from', async () => {
    await rds().createUser('by_password', { password: 'right' });
    const diagnosis = await diagnoseByPassword('by_password', rds().database);
    expectFailure(diagnosis, 'login', 'password_wrong', 'came from PGPASSWORD');
  });

  it('says that a member of rds_iam needs a token', async () => {
    const { user, database } = rds();
    const diagnosis = await diagnoseByPassword(user, database);
    expectFailure(diagnosis, 'login', 'password_for_iam_user', 'logs in with tokens only: give --region');
  });

  it('says that pg_hba.conf has no line for it', async () => {
    const { port, database } = rds();
    const diagnosis = await diagnose({
      args: ['--host', 'localhost', '--port', String(port), '--user', 'anybody', '--database', database],
      env: { PGSSLMODE: 'disable', PGPASSWORD: CANARY },
      secrets: [CANARY],
    });
    expectWarning(diagnosis, 'tls', 'tls_disabled', '--ssl-mode verify-full');
    expectFailure(diagnosis, 'login', 'no_pg_hba_entry', 'pg_hba.conf has no line');
  });

  it('says that the user may not log in', async () => {
    await rds().postgres.query(`CREATE ROLE "no-login" PASSWORD '${CANARY}'`);
    const diagnosis = await diagnoseByPassword('no-login', rds().database);
    expectFailure(diagnosis, 'login', 'login_refused', 'ALTER ROLE "no-login" LOGIN;');
    expect(diagnosis.step('login').facts['sqlstate']).toBe('28000');
  });

  it('says that the database may not be opened', async () => {
    await rds().createUser('stranger', { password: CANARY });
    await rds().postgres.query('CREATE DATABASE closed');
    await rds().postgres.query('REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
    const diagnosis = await diagnoseByPassword('stranger', 'closed');
    expectFailure(diagnosis, 'login', 'database_denied', 'GRANT CONNECT ON DATABASE "closed" TO "stranger";');
  });

  it('says that no password was found', async () => {
    await rds().createUser('forgetful', { password: CANARY });
    const diagnosis = await diagnoseByPassword('forgetful', rds().database, {});
    expectWarning(diagnosis, 'credentials', 'password_missing', 'set PGPASSWORD');
    expectFailure(diagnosis, 'login', 'password_missing', 'give --region');
  });

  it('says how far a login got that the server broke off', async () => {
    rds().gate.set({ delayMs: 600_000 });
    onTestFinished(() => rds().gate.set({ delayMs: 0 }));
    const dropping = setInterval(() => {
      if (rds().gate.stats().startups > before) rds().gate.dropConnections();
    }, 20);
    onTestFinished(() => clearInterval(dropping));
    const before = rds().gate.stats().startups;
    const diagnosis = await diagnoseRds([]);
    expectFailure(diagnosis, 'login', 'login_failed', "look at the server's log");
  });

  it('gives up on a login that is not answered', async () => {
    rds().gate.set({ delayMs: 600_000 });
    onTestFinished(() => rds().gate.set({ delayMs: 0 }));
    const diagnosis = await diagnoseRds(['--timeout', '6']);
    expectFailure(diagnosis, 'login', 'timeout', 'overloaded or hangs');
    expect(diagnosis.failed).toEqual(['login']);
  });

  it.each([
    ['57P03', 'server_unavailable', 'wait and try again'],
    ['53300', 'connections_full', 'raise max_connections'],
  ])('says what a server means that answers %s', async (code, expected, remedy) => {
    rds().gate.set({ fatal: { code, message: 'not now' } });
    onTestFinished(() => rds().gate.set({ fatal: undefined }));
    expectFailure(await diagnoseRds([]), 'login', expected, remedy);
  });
});

describe('what a logged-in user finds', () => {
  it('warns of a user whose membership in rds_iam was revoked', async () => {
    await rds().createUser('revoked');
    await rds().postgres.query('REVOKE rds_iam FROM revoked');
    expectWarning(
      await diagnoseRds(['--user', 'revoked']),
      'rds_iam',
      'not_member',
      'GRANT rds_iam TO "revoked";',
    );
  });

  it('warns of a member who logged in with a password', async () => {
    await rds().createUser('both', { password: CANARY });
    await rds().postgres.query('GRANT rds_iam TO "both"');
    const diagnosis = await diagnoseByPassword('both', rds().database);
    expectWarning(diagnosis, 'rds_iam', 'member_with_password', 'REVOKE rds_iam FROM "both";');
  });

  it('warns of a server without the role rds_iam', async () => {
    await rds().postgres.query('ALTER ROLE rds_iam RENAME TO elsewhere');
    onTestFinished(async () => {
      await rds().postgres.query('ALTER ROLE elsewhere RENAME TO rds_iam');
    });
    expectWarning(await diagnoseRds([]), 'rds_iam', 'role_missing', 'this is no RDS database');
  });

  it("warns of a clock that differs from the server's, though the token was taken", async () => {
    const ahead = 2 * 60_000;
    rds().gate.set({ clock: () => new Date(Date.now() + ahead) });
    onTestFinished(() => rds().gate.set({ clock: () => new Date() }));
    const diagnosis = await diagnoseRds([], {
      ...rds().awsEnv,
      NODE_OPTIONS: `--import=tsx --import=${SKEWED_CLOCK}`,
      SKEW_MS: String(ahead),
    });
    expectWarning(diagnosis, 'server', 'clock_skew', "set this machine's clock");
    expect(diagnosis.step('server').found).toMatch(/clock is 1[12]\d s ahead of the server's/);
  });

  it('finds a membership that another role passes on', async () => {
    await rds().postgres.query('CREATE ROLE readers; GRANT rds_iam TO readers');
    await rds().createUser('by_role');
    await rds().postgres.query('REVOKE rds_iam FROM by_role; GRANT readers TO by_role');
    expect((await diagnoseRds(['--user', 'by_role'])).step('rds_iam').status).toBe('ok');
  });

  it('warns of a primary that takes no writes by default', async () => {
    await rds().postgres.query('ALTER ROLE app SET default_transaction_read_only = on');
    onTestFinished(async () => {
      await rds().postgres.query('ALTER ROLE app RESET default_transaction_read_only');
    });
    expectWarning(await diagnoseRds([]), 'server', 'read_only', 'default_transaction_read_only');
  });

  it('warns of a standby', async () => {
    const signal = join(rds().postgres.socketDir, 'data', 'standby.signal');
    writeFileSync(signal, '');
    await rds().restart();
    onTestFinished(async () => {
      rmSync(signal);
      await rds().restart();
    });
    const diagnosis = await diagnoseRds([]);
    expectWarning(diagnosis, 'server', 'standby', 'dial the primary');
    expect(diagnosis.step('server').facts['in_recovery']).toBe(true);
    expect(diagnosis.exitCode).toBe(0);
  });

  it('says that the pool is larger than the server allows', async () => {
    const diagnosis = await diagnoseRds(['--max', '500']);
    expectFailure(diagnosis, 'headroom', 'pool_too_large', 'raise max_connections');
    expect(diagnosis.step('headroom').facts).toMatchObject({
      max_connections: 200,
      reserved: 3,
      pool_max: 500,
    });
  });

  it("says that a role's limit is below the pool's maximum", async () => {
    await rds().postgres.query('ALTER ROLE app CONNECTION LIMIT 4');
    onTestFinished(async () => {
      await rds().postgres.query('ALTER ROLE app CONNECTION LIMIT -1');
    });
    expectFailure(
      await diagnoseRds(['--max', '5']),
      'headroom',
      'pool_too_large',
      'ALTER ROLE "app" CONNECTION LIMIT -1;',
    );
  });

  it('warns when others hold the connections that the pool would need', async () => {
    const { postgres } = rds();
    // One run at a time: each would count the other's session.
    const alone = await runDoctor([...iamArgs(rds()), '--max', '197', '--json'], rds().awsEnv);
    expect(alone.code, alone.stdout).toBe(0);
    expect(alone.stdout).toContain('197 of 197 free');

    const holding = postgres.query('select pg_sleep(600)');
    holding.catch(() => undefined);
    onTestFinished(async () => {
      await postgres.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`,
      );
    });
    const diagnosis = await diagnoseRds(['--max', '197']);
    expectWarning(diagnosis, 'headroom', 'headroom_small', '53300');
  });
});
