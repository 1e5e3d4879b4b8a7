import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnose, emptyHome, expectFailure, runTool } from './run-doctor.js';

const VERIFIED = ['--host', 'localhost', '--user', 'app', '--database', 'app', '--ssl-mode', 'verify-full'];

describe('the command line', () => {
  it.each([
    [[], 'a command is missing'],
    [['docter'], 'there is no command "docter"'],
    [['doctor', 'more'], 'doctor takes options only'],
    [['doctor', '--hots', 'x'], "Unknown option '--hots'"],
    [['doctor', '--port', 'https'], '--port must be a whole number'],
    [['doctor', '--max', '0'], '--max must be a whole number'],
    [['doctor', '--timeout', '-1'], "'--timeout' argument is ambiguous"],
  ])('refuses %j with exit code 2 and says why', async (args, reason) => {
    const { code, stdout, stderr } = await runTool(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(`pgauge: `);
    expect(stderr).toContain(reason);
    expect(stderr).toContain('usage: pgauge doctor');
  });

  it('refuses a password as a flag without repeating it', async () => {
    const { code, stderr } = await runTool(['doctor', '--password=canary-on-the-command-line']);
    expect(code).toBe(2);
    expect(stderr).toContain('a password is never a flag');
    expect(stderr).not.toContain('canary');
  });

  it('prints help and version on stdout', async () => {
    const [help, version] = await Promise.all([runTool(['--help']), runTool(['--version'])]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Exit code: 0');
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
    expect(version.code).toBe(0);
  });
});

describe('a configuration that newPool would refuse', () => {
  it('names what is missing and how to give it', async () => {
    const diagnosis = await diagnose({});
    expectFailure(diagnosis, 'configuration', 'config_invalid', 'give --host or PGHOST');
    expect(diagnosis.json.steps.filter(({ because }) => because === 'configuration')).toHaveLength(10);
  });

  it.each([
    [{ PGSSLMODE: 'prefer' }, [], 'sslMode must be one of', 'it was given by PGSSLMODE'],
    [{ PGPORT: 'https' }, [], 'port must be between 1 and 65535', 'it was given by PGPORT'],
    [{ PGHOST: 'one,two' }, [], 'host must be one host', 'it was given by PGHOST'],
    [{}, ['--ssl-mode', 'disable', '--region', 'eu-central-1'], 'token in clear', 'correct what it names'],
    [{ PGSSLROOTCERT: '/no/such/file' }, [], 'PGSSLROOTCERT (/no/such/file): cannot be read', 'correct what'],
    [{}, ['--ca', '/no/such/file'], '--ca (/no/such/file): cannot be read: ENOENT', 'correct what it names'],
  ])('refuses %j %j', async (env, args, found, remedy) => {
    const base = 'PGHOST' in env ? VERIFIED.slice(2, 6) : VERIFIED.slice(0, 6);
    const diagnosis = await diagnose({ args: [...base, ...args], env: env });
    expectFailure(diagnosis, 'configuration', 'config_invalid', remedy);
    expect(diagnosis.step('configuration').found).toContain(found);
  });

  it('names a file of roots that holds none', async () => {
    const home = emptyHome();
    const file = join(home['HOME'] ?? '', 'ca.pem');
    writeFileSync(file, 'no certificate');
    const diagnosis = await diagnose({ args: [...VERIFIED, '--ca', file], env: home });
    expectFailure(diagnosis, 'configuration', 'config_invalid', 'correct what it names');
    expect(diagnosis.step('configuration').found).toContain(`--ca (${file}): holds no PEM certificate`);
  });
});
