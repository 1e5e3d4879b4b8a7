import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startImds } from '../../../local-rds/index.js';
import { readArguments, type Arguments } from '../../../src/doctor/arguments.js';
import { examine } from '../../../src/doctor/examination.js';
import { exitCode } from '../../../src/doctor/report.js';
import { settingsOf } from '../../../src/doctor/settings.js';
import { useLocalRds } from '../../support/servers.js';
import { sessionsOf } from '../../support/sessions.js';
import { until } from '../../support/until.js';
import { diagnose, expectFailure, iamArgs, type Diagnosis } from './run-doctor.js';

const rds = useLocalRds();
const APPLICATION_NAME = 'pgauge doctor';

async function diagnoseRds(...args: string[]): Promise<Diagnosis> {
  return await diagnose({ args: [...iamArgs(rds()), ...args], env: rds().awsEnv });
}

/** Locks the table from which memberships are read, so that the query for them waits. */
async function holdMemberships(): Promise<void> {
  const { socketDir, port } = rds().postgres;
  const holder = new pg.Client({ host: socketDir, port, user: 'postgres', database: rds().database });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query('BEGIN; LOCK TABLE pg_auth_members IN ACCESS EXCLUSIVE MODE');
}

describe("a doctor's query that gets no answer", () => {
  it('is abandoned and cancelled, and the next check gets another connection', async () => {
    await holdMemberships();
    const diagnosis = await diagnoseRds('--timeout', '15');
    expectFailure(diagnosis, 'rds_iam', 'timeout', 'pg_stat_activity');
    // Which sessions a user may see depends on memberships, too.
    expect(diagnosis.failed).toEqual(['rds_iam', 'headroom']);
    expect(diagnosis.step('server').status).toBe('ok');
    // The lock is still held, so a session that waits for it would still be there.
    await until('no session is left', async () => {
      return (await sessionsOf(rds().postgres, APPLICATION_NAME)) === 0;
    });
  });

  it('is reported with statement_timeout when that ends it', async () => {
    await holdMemberships();
    const env = { ...rds().awsEnv, PGOPTIONS: '-c statement_timeout=200' };
    const diagnosis = await diagnose({ args: iamArgs(rds()), env });
    expectFailure(diagnosis, 'rds_iam', 'timeout', 'statement_timeout');
    expect(diagnosis.step('rds_iam').found).toContain('57014');
  });

  it('fails when its session is ended, and the next check gets another session', async () => {
    await holdMemberships();
    const ending = new AbortController();
    const end = until(
      'the doctor is done',
      async () => {
        await rds().postgres.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where application_name = $1 and wait_event_type = 'Lock'`,
          [APPLICATION_NAME],
        );
        return ending.signal.aborted;
      },
      60_000,
    );
    const diagnosis = await diagnoseRds();
    ending.abort();
    await end;
    expectFailure(diagnosis, 'rds_iam', 'query_failed', 'what stands between');
    expect(diagnosis.step('rds_iam').found).toContain('57P01');
    expect(diagnosis.step('server').status).toBe('ok');
  });
});

describe("the doctor's time limit", () => {
  it('holds when server, metadata service and collector all hang', async () => {
    await using imds = await startImds();
    imds.set({ hang: true });
    rds().gate.set({ blackhole: true });
    onTestFinished(() => rds().gate.set({ blackhole: false }));
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const diagnosis = await diagnose({
      args: [...iamArgs(rds()), '--region', 'detect', '--timeout', '30'],
      env: {
        AWS_EC2_METADATA_DISABLED: 'false',
        AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      },
    });
    expectFailure(diagnosis, 'region', 'region_unknown', 'the instance metadata service must be reachable');
    expect(diagnosis.failed).toEqual(['tls', 'region', 'otel']);
  });

  it('is extended after a stall of the event loop, and the check still reports what it waited for', async () => {
    rds().gate.set({ blackhole: true });
    onTestFinished(() => rds().gate.set({ blackhole: false }));
    const given = readArguments(iamArgs(rds()));
    if (typeof given === 'string') throw new Error('no run was asked for');
    const limitMs = 3_000;
    let stalled = false;
    const stall = (): void => {
      const end = performance.now() + 100;
      while (performance.now() < end) stalled = true;
    };
    const watcher = {
      // The stall begins before the limit, a third of the whole time, and ends after it.
      started: (id: string) => (id === 'tls' ? setTimeout(stall, limitMs - 50) : undefined),
      ended: () => undefined,
    };
    const { steps } = await examine({ ...settingsOf(given, {}), timeoutMs: 3 * limitMs }, {}, watcher);
    expect(stalled).toBe(true);
    expect(steps.find(({ id }) => id === 'tls')).toMatchObject({ status: 'failed', code: 'no_answer' });
  });

  it('skips the checks that are not reached, which alone makes the exit code 1', async () => {
    const given = readArguments(iamArgs(rds()));
    if (typeof given === 'string') throw new Error('no run was asked for');
    const settings = { ...settingsOf(given, {}), timeoutMs: 1 };
    const { steps } = await examine(settings, {});
    const last = steps.at(-1);
    expect(last).toMatchObject({ id: 'otel', status: 'skipped', code: 'out_of_time' });
    expect(last?.remedy).toContain('--timeout');
    expect(exitCode(last ? [last] : [])).toBe(1);
  });
});

it('an internal error of a check is reported as such', async () => {
  const env = {
    get OTEL_SDK_DISABLED(): string {
      throw new Error('canary');
    },
  };
  const settings = settingsOf(readArguments([]) as Arguments, {});
  const { steps } = await examine(settings, env);
  expect(steps.at(-1)).toMatchObject({ status: 'failed', code: 'internal_error' });
});
