import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readArguments } from '../../../../src/doctor/arguments.js';
import { checkConfiguration } from '../../../../src/doctor/checks/configuration.js';
import { checkCredentials } from '../../../../src/doctor/checks/credentials.js';
import { checkToken } from '../../../../src/doctor/checks/token.js';
import { Session } from '../../../../src/doctor/session.js';
import { settingsOf } from '../../../../src/doctor/settings.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'pgauge-doctor-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));
const PATH = join(FOLDER, 'password');
const { signal } = new AbortController();

async function sessionWith(...flags: string[]) {
  const given = readArguments(['--host', 'db', '--user', 'app', '--database', 'app', ...flags]);
  if (typeof given === 'string') throw new Error(`read as ${given}`);
  const session = new Session(settingsOf(given, {}), {});
  return { session, configuration: await checkConfiguration(session) };
}

describe('the doctor on a password file', () => {
  it('shows the path, the age and the permissions, and hides the password', async () => {
    writeFileSync(PATH, 'canary-of-the-file\n');
    chmodSync(PATH, 0o640);
    const anHourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(PATH, anHourAgo, anHourAgo);
    const { session, configuration } = await sessionWith('--password-file', PATH);
    expect(configuration).toMatchObject({ status: 'ok', found: 'app@db:5432/app, require, password file' });
    expect(await checkCredentials(session, signal)).toMatchObject({
      status: 'ok',
      found: `from ${PATH}: changed 60 min ago, mode 0640`,
      facts: { files: [{ path: PATH, changed_at: anHourAgo.toJSON(), mode: '0640' }] },
    });
    expect(await checkToken(session, signal)).toMatchObject({ status: 'ok', found: 'for app at db:5432' });
    expect(session.text.clean('it says canary-of-the-file')).toBe('it says [hidden]');
  });

  it('names a missing file, and what to check', async () => {
    const { session } = await sessionWith('--password-file', PATH, '--user-file', join(FOLDER, 'user'));
    const outcome = await checkCredentials(session, signal);
    expect(outcome).toMatchObject({ status: 'failed', code: 'credentials_unavailable' });
    expect(outcome.found).toContain(join(FOLDER, 'user'));
    expect(outcome.remedy).toContain('mounted');
  });

  it('refuses a user file without a password file', async () => {
    const { configuration } = await sessionWith('--user-file', PATH);
    expect(configuration).toMatchObject({ status: 'failed', code: 'config_invalid' });
    expect(configuration.found).toContain('dynamicAuth.passwordFile.path is required');
  });
});
