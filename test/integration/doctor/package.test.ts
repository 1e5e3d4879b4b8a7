import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { installBuilt } from '../../support/packages/built-package.js';

// Compiles the package.
const TIMEOUT_MS = 180_000;

it(
  'the doctor runs from the installed package, and says what to install when the driver is missing',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pgauge-bin-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await installBuilt(folder, { types: false });
    const home = join(folder, 'node_modules/pgauge');
    const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
      bin: { pgauge: string };
    };
    // As npm does it: a symlink to an executable file.
    mkdirSync(join(folder, 'node_modules/.bin'));
    symlinkSync(join(home, bin.pgauge), join(folder, 'node_modules/.bin/pgauge'));
    chmodSync(join(home, bin.pgauge), 0o755);
    const run = (...args: string[]) =>
      promisify(execFile)(join(folder, 'node_modules/.bin/pgauge'), args, {
        env: { PATH: process.env['PATH'] ?? '', HOME: folder },
      }).catch((error: unknown) => error as { code: number; stdout: string; stderr: string });

    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+/);
    // Neither the AWS SDK nor the driver is installed here, so neither may be loaded for these commands.
    const help = await run('doctor', '--help');
    expect(help).toMatchObject({ stderr: '' });
    expect(help.stdout).toContain('usage: pgauge doctor');
    expect(await run('doctor', '--hots')).toMatchObject({ code: 2 });
    const withoutDriver = await run('doctor');
    expect(withoutDriver).toMatchObject({ code: 1, stdout: '' });
    expect(withoutDriver.stderr).toContain('npm install pg @opentelemetry/api');
    expect(withoutDriver.stderr).not.toContain('    at ');
  },
  TIMEOUT_MS,
);
