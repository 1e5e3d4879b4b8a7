import { describe, expect, it } from 'vitest';
import { runScript } from '../../support/child.js';
import { useLocalRds } from '../../support/servers.js';
import { SKEWED_CLOCK } from './diagnose-rds.js';
import { iamArgs, MAIN, type Diagnosis } from './run-doctor.js';

const rds = useLocalRds();
const preload = (name: string): string =>
  new URL(`../../faults/process/preloads/${name}.ts`, import.meta.url).href;
const YEAR_MS = 31_557_600_000;

/** Runs the tool without the variable for the home folder and with these preloads. */
async function run(
  args: readonly string[],
  preloads: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Diagnosis['json']> {
  const options = ['tsx', ...preloads].map((name) => `--import=${name}`).join(' ');
  const { lines, stderr } = await runScript(MAIN, ['doctor', ...args, '--json'], {
    env: { HOME: undefined, AWS_EC2_METADATA_DISABLED: 'true', NODE_OPTIONS: options, ...env },
    timeoutMs: 100_000,
  }).result;
  expect(stderr).toBe('');
  const report = JSON.parse(lines.join('\n')) as Diagnosis['json'];
  for (const { code, remedy } of report.steps) {
    expect(code).not.toBe('internal_error');
    expect(remedy ?? '').not.toContain('report this');
  }
  return report;
}

const step = (report: Diagnosis['json'], id: string): Diagnosis['json']['steps'][number] | undefined =>
  report.steps.find((one) => one.id === id);

describe('the doctor without a home folder', () => {
  const bare = [preload('no-home')];

  it('logs in with tokens', async () => {
    expect((await run(iamArgs(rds()), bare, rds().awsEnv)).exit_code).toBe(0);
  });

  it('reports that no credentials are set and that the AWS SDK lacks a home folder', async () => {
    const report = await run(iamArgs(rds()), bare);
    expect(step(report, 'credentials')).toMatchObject({
      status: 'failed',
      code: 'credentials_missing',
      found: expect.stringContaining('uv_os_homedir') as string,
    });
  });

  it('warns that there is no password and no possible password file', async () => {
    const { host, port, user } = rds().postgres;
    const args = ['--host', host, '--port', String(port), '--user', user, '--database', 'postgres'];
    const report = await run([...args, '--ssl-mode', 'disable'], bare);
    expect(step(report, 'credentials')).toMatchObject({ status: 'warning', code: 'password_missing' });
    expect(step(report, 'login')).toMatchObject({ status: 'failed', code: 'password_missing' });
  });
});

describe('the doctor', () => {
  it('writes no file', async () => {
    expect((await run(iamArgs(rds()), [preload('read-only')], rds().awsEnv)).exit_code).toBe(0);
  });

  it.each([50, -50, 9_000])('reports a clock that is %i years off', async (years) => {
    const env = { ...rds().awsEnv, SKEW_MS: String(years * YEAR_MS) };
    const report = await run(iamArgs(rds()), [SKEWED_CLOCK], env);
    expect(report.exit_code).toBe(1);
    expect(JSON.stringify(report.steps.filter(({ status }) => status === 'failed'))).toMatch(/clock/);
  });
});
