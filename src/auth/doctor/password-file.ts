import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { untilAborted } from '../../deadline.js';
import type { DoctorAddition } from '../../doctor/addition.js';
import { failed, ok, type Outcome } from '../../doctor/report.js';
import type { Session } from '../../doctor/session.js';

/** What the backend passwordFile adds to the doctor. */
export const passwordFileDoctor: DoctorAddition = {
  flags: [
    {
      name: 'password-file',
      type: 'string',
      usage:
        '  --password-file <path>\n                      log in with the password that this file holds\n',
    },
    {
      name: 'user-file',
      type: 'string',
      usage: '  --user-file <path>  the file with the user for that password, default --user\n',
    },
  ],
  settings({ 'password-file': path, 'user-file': userPath }) {
    return path === undefined && userPath === undefined ? undefined : { path, userPath };
  },
  checks: { credentials: checkFiles },
  refusedSettings: 'name the file with the password (--password-file PATH)',
  tokens: 'passwords from a file',
};

/** Shows the files, their age and their permissions. */
async function checkFiles(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { path = '', userPath } = session.get('config').dynamicAuth?.passwordFile ?? {};
  const paths = [path, ...(userPath === undefined ? [] : [userPath])].map((given) => resolve(given));
  try {
    const files = await untilAborted(Promise.all(paths.map(describe)), signal);
    return ok(files.map(({ text }) => text).join('; '), {
      facts: { files: files.map(({ facts }) => facts) },
    });
  } catch (error) {
    return failed(
      'credentials_unavailable',
      session.text.ofError(error),
      'see whether the secret is mounted there, and whether this user may read it',
      { files: paths.map((file) => ({ path: file })) },
    );
  }
}

async function describe(path: string) {
  const { mtime, mode } = await stat(path);
  const permissions = (mode & 0o777).toString(8).padStart(4, '0');
  return {
    text: `from ${path}: changed ${age(Date.now() - mtime.getTime())} ago, mode ${permissions}`,
    facts: { path, changed_at: mtime.toJSON(), mode: permissions },
  };
}

function age(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / (24 * 60))} days`;
}
