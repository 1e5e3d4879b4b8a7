import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useLocalRds } from '../../support/servers.js';
import { CANARY, SKEWED_CLOCK, diagnosesOf } from './diagnose-rds.js';
import { expectFailure, expectWarning, iamArgs, runDoctor } from './run-doctor.js';

const rds = useLocalRds();
const { diagnoseRds, diagnoseByPassword } = diagnosesOf(rds);

describe('the doctor, once logged in,', () => {
  it('warns about a user whose membership in rds_iam was revoked', async () => {
    await rds().createUser('revoked');
    await rds().postgres.query('REVOKE rds_iam FROM revoked');
    expectWarning(
      await diagnoseRds(['--user', 'revoked']),
      'rds_iam',
      'not_member',
      'GRANT rds_iam TO "revoked";',
    );
  });

  it('warns about a member of rds_iam who logged in with a password', async () => {
    await rds().createUser('both', { password: CANARY });
    await rds().postgres.query('GRANT rds_iam TO "both"');
    const diagnosis = await diagnoseByPassword('both', rds().database);
    expectWarning(diagnosis, 'rds_iam', 'member_with_password', 'REVOKE rds_iam FROM "both";');
  });

  it('warns about a server without the role rds_iam', async () => {
    await rds().postgres.query('ALTER ROLE rds_iam RENAME TO elsewhere');
    onTestFinished(async () => {
      await rds().postgres.query('ALTER ROLE elsewhere RENAME TO rds_iam');
    });
    expectWarning(await diagnoseRds([]), 'rds_iam', 'role_missing', 'this is no RDS database');
  });

  it("warns about a clock that differs from the server's, although the token was accepted", async () => {
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

  it('finds a membership in rds_iam through another role', async () => {
    await rds().postgres.query('CREATE ROLE readers; GRANT rds_iam TO readers');
    await rds().createUser('by_role');
    await rds().postgres.query('REVOKE rds_iam FROM by_role; GRANT readers TO by_role');
    expect((await diagnoseRds(['--user', 'by_role'])).step('rds_iam').status).toBe('ok');
  });

  it('warns about a primary that accepts no writes by default', async () => {
    await rds().postgres.query('ALTER ROLE app SET default_transaction_read_only = on');
    onTestFinished(async () => {
      await rds().postgres.query('ALTER ROLE app RESET default_transaction_read_only');
    });
    expectWarning(await diagnoseRds([]), 'server', 'read_only', 'default_transaction_read_only');
  });

  it('warns about a standby', async () => {
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

  it('warns when other clients hold the connections that the pool would need', async () => {
    const { postgres } = rds();
    // One run at a time, because each would count the other's session.
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
