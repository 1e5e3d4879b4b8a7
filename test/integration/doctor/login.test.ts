import { describe, expect, it, onTestFinished } from 'vitest';
import { startImds } from '../../../local-rds/index.js';
import { useLocalRds } from '../../support/servers.js';
import { CANARY, SKEWED_CLOCK, diagnosesOf } from './diagnose-rds.js';
import { diagnose, expectFailure, expectWarning } from './run-doctor.js';

const rds = useLocalRds();
const { diagnoseRds, diagnoseByPassword } = diagnosesOf(rds);

describe('the doctor, when a login is refused,', () => {
  it('says that the user was not granted rds_iam', async () => {
    await rds().createUser('not_granted', { password: CANARY });
    const diagnosis = await diagnoseRds(['--user', 'not_granted']);
    expectFailure(diagnosis, 'login', 'not_granted_rds_iam', 'GRANT rds_iam TO "not_granted";');
    expect(diagnosis.step('login').facts['sqlstate']).toBe('28P01');
    expect(diagnosis.failed).toEqual(['login']);
    expect(diagnosis.step('server').because).toBe('login');
  });

  it('measures the clock and names it as the reason for the refused token', async () => {
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

  it('names the clock among the causes when it cannot be measured', async () => {
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

  it('says that pg_hba.conf has no line for the login', async () => {
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

  it('says that the user may not open the database', async () => {
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

  it('says how far the login got when the server broke it off', async () => {
    rds().gate.set({ delayMs: 600_000 });
    onTestFinished(() => rds().gate.set({ delayMs: 0 }));
    const dropping = setInterval(() => {
      // Wait until both runs log in: otherwise the later one would lose its TLS handshake.
      if (rds().gate.stats().startups >= before + 2) rds().gate.dropConnections();
    }, 20);
    onTestFinished(() => clearInterval(dropping));
    const before = rds().gate.stats().startups;
    const diagnosis = await diagnoseRds([]);
    expectFailure(diagnosis, 'login', 'login_failed', "look at the server's log");
  });

  it('gives up on a login that gets no answer', async () => {
    rds().gate.set({ delayMs: 600_000 });
    onTestFinished(() => rds().gate.set({ delayMs: 0 }));
    const diagnosis = await diagnoseRds(['--timeout', '30']);
    expectFailure(diagnosis, 'login', 'timeout', 'overloaded or hangs');
    expect(diagnosis.failed).toEqual(['login']);
  });

  it.each([
    ['57P03', 'server_unavailable', 'wait and try again'],
    ['53300', 'connections_full', 'raise max_connections'],
  ])('explains the answer %s of the server', async (code, expected, remedy) => {
    rds().gate.set({ fatal: { code, message: 'not now' } });
    onTestFinished(() => rds().gate.set({ fatal: undefined }));
    expectFailure(await diagnoseRds([]), 'login', expected, remedy);
  });
});
