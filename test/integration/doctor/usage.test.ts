import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TempCopy } from '../../support/temp-copy.js';
import { diagnose, emptyHome, expectFailure, runTool, type Diagnosis } from './run-doctor.js';

const VERIFIED = ['--host', 'localhost', '--user', 'app', '--database', 'app', '--ssl-mode', 'verify-full'];

describe("the doctor's command line", () => {
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

  it('does not repeat a connection string given instead of a command', async () => {
    const { code, stderr } = await runTool(['postgres://app:canary@db.example.com/app']);
    expect(code).toBe(2);
    expect(stderr).toContain('there is no command of that name');
    expect(stderr).not.toContain('canary');
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
    for (const text of ['pgauge doctor ', 'pgauge watch <url> ', 'Exit code: 0'])
      expect(help.stdout).toContain(text);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
    expect(version.code).toBe(0);
  });
});

describe('a configuration that newPool would refuse', () => {
  it('is reported with every missing setting and how to set it', async () => {
    // Given but empty, as when a shell variable is not set.
    const diagnosis = await diagnose({ args: ['--host', ''] });
    expectFailure(
      diagnosis,
      'configuration',
      'config_invalid',
      'give --host or PGHOST, --user or PGUSER, --database or PGDATABASE',
    );
    expect(diagnosis.json.steps.filter(({ because }) => because === 'configuration')).toHaveLength(11);
  });

  it.each([
    [{ PGSSLMODE: 'prefer' }, [], 'sslMode must be one of', 'it was given by PGSSLMODE'],
    [{ PGPORT: 'https' }, [], 'port must be between 1 and 65535', 'it was given by PGPORT'],
    [{ PGHOST: 'one two' }, [], 'host', 'it was given by PGHOST'],
    [{}, ['--ssl-mode', 'disable', '--region', 'eu-central-1'], 'token in clear', '--ssl-mode verify-full'],
    [{ PGSSLROOTCERT: '/no/such/file' }, [], 'PGSSLROOTCERT (/no/such/file): cannot be read', 'correct what'],
    [{}, ['--ca', '/no/such/file'], '--ca (/no/such/file): cannot be read: ENOENT', 'correct what it names'],
  ])('refuses %j %j', async (env, args, found, remedy) => {
    const base = 'PGHOST' in env ? VERIFIED.slice(2, 6) : VERIFIED.slice(0, 6);
    const diagnosis = await diagnose({ args: [...base, ...args], env: env });
    expectFailure(diagnosis, 'configuration', 'config_invalid', remedy);
    expect(diagnosis.step('configuration').found).toContain(found);
  });

  it.each(['--ca', 'PGSSLROOTCERT'])(
    'is reported with the root file that contains none, set by %s',
    async (by) => {
      const home = emptyHome();
      const file = join(home['HOME'] ?? '', 'ca.pem');
      writeFileSync(file, 'no certificate');
      const given = by === '--ca' ? { args: [by, file], env: {} } : { args: [], env: { [by]: file } };
      const diagnosis = await diagnose({
        args: [...VERIFIED, ...given.args],
        env: { ...home, ...given.env },
      });
      expectFailure(diagnosis, 'configuration', 'config_invalid', 'correct what it names');
      expect(diagnosis.step('configuration').found).toContain(`${by} (${file}): holds no PEM certificate`);
    },
  );

  it.each(['PGHOST', 'PGDATABASE'])(
    'is reported without repeating a connection string in %s',
    async (name) => {
      const diagnosis = await diagnose({
        env: {
          ...{ PGHOST: 'localhost', PGUSER: 'app', PGDATABASE: 'app' },
          [name]: 'postgres://app:canary@db.example.com/app?sslmode=require',
        },
        secrets: ['canary'],
      });
      expectFailure(diagnosis, 'configuration', 'config_invalid', `${name} holds a whole connection string`);
      expect(diagnosis.json.target[name.slice(2).toLowerCase()]).toBe('[hidden]');
    },
  );

  it('is reported when a region is empty', async () => {
    const diagnosis = await diagnose({ args: [...VERIFIED, '--region', ''] });
    expectFailure(diagnosis, 'configuration', 'config_invalid', '--region us-east-1');
  });

  it('is reported with the packages that tokens need, and a password login works without them', async () => {
    const copy = new TempCopy({ linked: ['pg', 'pino', '@opentelemetry/api'] });
    copy.write('package.json', JSON.stringify({ type: 'module', version: '0.0.0' }));
    const run = async (...args: string[]) => {
      const { lines, code } = await copy.run(
        `await import('./src/cli/main.ts')`,
        ['doctor', ...VERIFIED, '--port', '1', '--json', ...args],
        emptyHome(),
      );
      const { steps } = JSON.parse(lines.join('\n')) as Diagnosis['json'];
      return { code, configuration: steps[0] };
    };
    const { code, configuration } = await run('--region', 'eu-central-1');
    expect(configuration).toMatchObject({ status: 'failed', code: 'packages_missing' });
    expect(configuration?.remedy).toContain('npm install @aws-sdk/');
    expect(code).toBe(1);
    expect((await run()).configuration).toMatchObject({ status: 'ok' });
  });
});
