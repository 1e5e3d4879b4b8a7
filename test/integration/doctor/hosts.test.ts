import { beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../support/free-ports.js';
import { usePostgres } from '../../support/servers.js';
import { diagnose, runExampleCode, runTool, type Diagnosis, type JsonStep } from './run-doctor.js';

const primary = usePostgres();
const standby = usePostgres();

beforeAll(async () => {
  // Both have the same login, because these servers do not replicate.
  await standby().query(`alter user postgres password '${primary().password}'`);
  await standby().demote();
});

interface HostsReport {
  readonly choice: Readonly<Record<string, unknown>>;
  readonly hosts: readonly {
    readonly host: string;
    readonly port: number;
    readonly kind: string | null;
    readonly read_only: boolean | null;
    readonly steps: readonly JsonStep[];
  }[];
}

type HostsDiagnosis = Diagnosis & { readonly json: HostsReport };

/** Checks the servers at these ports as one list of hosts. */
async function examine(ports: readonly number[], ...args: string[]): Promise<HostsDiagnosis> {
  const { user, password, database, host } = primary();
  return (await diagnose({
    args: [
      ...['--host', ports.map(() => host).join(','), '--port', ports.join(',')],
      ...['--user', user, '--database', database, '--ssl-mode', 'disable', ...args],
    ],
    env: { PGPASSWORD: password },
    secrets: [password],
  })) as HostsDiagnosis;
}

const kinds = ({ json }: HostsDiagnosis): unknown[] =>
  json.hosts.map(({ port, kind, read_only }) => [port, kind, read_only]);
const stepOf = ({ json }: HostsDiagnosis, at: number, id: string): JsonStep | undefined =>
  json.hosts[at]?.steps.find((step) => step.id === id);

describe('the doctor, given several hosts,', () => {
  it('checks each, and reports which one is the primary and which one a pool uses', async () => {
    const ports = [standby().port, primary().port];
    const report = await examine(ports, '--target-session-attrs', 'primary');
    expect(kinds(report)).toEqual([
      [standby().port, 'standby', true],
      [primary().port, 'primary', false],
    ]);
    expect(report.json.choice).toMatchObject({ target_session_attrs: 'primary', host: 1, code: 'ok' });
    expect(report.json.target).toMatchObject({ port: primary().port });
    // With several hosts, a standby is not a problem.
    expect(stepOf(report, 0, 'server')).toMatchObject({ status: 'ok', facts: { in_recovery: true } });
    expect(report.exitCode).toBe(0);
    expect(await runExampleCode(report, { PGPASSWORD: primary().password })).toBe(primary().user);
    const at = (port: number) => `127.0.0.1:${port}`;
    expect(report.flatTable).toContain(
      `${at(standby().port)} is a standby, ${at(primary().port)} is a primary; a pool uses ${at(primary().port)}`,
    );
    for (const port of ports) expect(report.table).toMatch(new RegExp(`^${at(port)}$`, 'm'));
    expect(report.table.match(/OTel endpoint/g)).toHaveLength(1);
  });

  it('warns when a standby comes first with targetSessionAttrs any', async () => {
    const report = await examine([standby().port, primary().port]);
    expect(report.json.choice).toMatchObject({ host: 0, status: 'warning', code: 'standby' });
    expect(report.flatTable).toContain('give --target-session-attrs primary');
    expect(report.exitCode).toBe(0);
  });

  it('fails when none has the requested role', async () => {
    const report = await examine([standby().port], '--target-session-attrs', 'primary');
    expect(report.json.choice).toMatchObject({ host: null, status: 'failed', code: 'no_wanted_host' });
    expect(report.flatTable).toContain('the cluster has one of that kind at present');
    expect(report.flatTable).toContain('It does not work: 1 failed');
    expect(report.exitCode).toBe(1);
  });

  it('checks the others when one is down, and reports that one as failed', async () => {
    const [dead = 0] = await freePorts(1);
    const report = await examine([dead, primary().port], '--target-session-attrs', 'primary');
    expect(kinds(report)).toEqual([
      [dead, null, null],
      [primary().port, 'primary', false],
    ]);
    expect(stepOf(report, 0, 'tcp')).toMatchObject({ status: 'failed', code: 'port_closed' });
    expect(report.json.choice).toMatchObject({ host: 1, status: 'ok' });
    expect(report.flatTable).toContain(`127.0.0.1:${dead} is not logged in to`);
    expect(report.flatTable).toContain('1 of 2 hosts fail: 1 failed');
    expect(report.exitCode).toBe(1);
  });

  it('reads them from the PG variables too', async () => {
    const { user, password, database } = primary();
    const { json } = (await diagnose({
      args: ['--ssl-mode', 'disable'],
      env: {
        PGHOST: '127.0.0.1,localhost',
        PGPORT: String(primary().port),
        PGTARGETSESSIONATTRS: 'read-write',
        ...{ PGUSER: user, PGPASSWORD: password, PGDATABASE: database },
      },
    })) as HostsDiagnosis;
    expect(json.hosts.map(({ host, port }) => [host, port])).toEqual([
      ['127.0.0.1', primary().port],
      ['localhost', primary().port],
    ]);
    expect(json.choice).toMatchObject({ host: 0, target_session_attrs: 'read-write' });
  });
});

it('the doctor refuses an inconsistent list of hosts with exit code 2', async () => {
  const { code, stdout, stderr } = await runTool(['doctor', '--host', 'a,b', '--port', '1,2,3']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('there are 2 hosts and 3 ports');
});

it('the doctor refuses a connection string given as a host, without splitting or repeating it', async () => {
  const { exitCode, step } = await diagnose({
    args: ['--host', 'postgres://app:can,ary@one,two/app', '--user', 'app', '--database', 'app'],
    secrets: ['can,ary', 'ary@one'],
  });
  expect(exitCode).toBe(1);
  expect(step('configuration')).toMatchObject({ code: 'config_invalid' });
});
