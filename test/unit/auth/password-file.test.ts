import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { passwordFile } from '../../../src/auth/password-file.js';
import { AuthError } from '../../../src/errors.js';
import { rejection } from '../../support/until.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'pgauge-password-file-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const TARGET = { host: 'db', port: 5432, user: 'app' };
const PATH = join(FOLDER, 'password');

function issue(content?: string | Buffer, settings: object = {}, signal = new AbortController().signal) {
  if (content !== undefined) writeFileSync(PATH, content);
  return passwordFile.issuer({ path: PATH, ...settings }).issue(TARGET, { signal });
}

describe('a password file', () => {
  it.each([
    ['a password', 'secret', 'secret'],
    ['a line break after it', 'secret\n', 'secret'],
    ['a line break of Windows', 'secret\r\n', 'secret'],
    ['one line break of several', 'secret\n\n', 'secret\n'],
    ['spaces, which belong to the password', ' se cret ', ' se cret '],
    ['a byte order mark, which does not', '\uFEFFsecret', 'secret'],
    ['text beyond ASCII', 'pässwörd🔑\n', 'pässwörd🔑'],
    ['a password of the maximum length', `${'x'.repeat(65_535)}\r\n`, 'x'.repeat(65_535)],
  ])('may contain %s', async (_what, content, password) => {
    expect(await issue(content)).toBe(password);
  });

  it.each<[string, string | Buffer, string]>([
    ['nothing', '', 'it is empty'],
    ['a line break alone', '\n', 'it is empty'],
    ['a NUL', 'sec\0ret', 'it contains a NUL character'],
    ['bytes that are not text', Buffer.from([0xc3, 0x28]), 'it is not UTF-8 text'],
    ['more than a password', 'secret'.repeat(20_000), 'it has more than 65537 bytes'],
  ])(
    'must not contain %s; the error has the path and none of the content',
    async (_what, content, reason) => {
      const error = await rejection(issue(content));
      expect(error).toBeInstanceOf(AuthError);
      expect(error.message).toBe(`dynamic auth (passwordFile): failed to read ${PATH}: ${reason}`);
      expect(String(error.cause)).not.toContain('secret');
    },
  );

  it('must be a regular file, not a folder or a pipe', async () => {
    const folder = join(FOLDER, 'folder');
    mkdirSync(folder);
    await expect(issue(undefined, { path: folder })).rejects.toThrow(/folder: it is not a regular file$/);
    const pipe = join(FOLDER, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(issue(undefined, { path: pipe })).rejects.toThrow(/pipe: it is not a regular file$/);
  });

  it('that may not be read gives an error with the reason', async () => {
    writeFileSync(PATH, 'secret');
    chmodSync(PATH, 0);
    // Root can read every file.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      await expect(issue()).rejects.toThrow(/password: EACCES: permission denied/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(PATH, 0o600);
    }
  });

  it('with a relative path is resolved against the initial working directory', async () => {
    const issuer = passwordFile.issuer({ path: relative(process.cwd(), PATH) });
    const before = process.cwd();
    writeFileSync(PATH, 'secret');
    try {
      process.chdir(FOLDER);
      expect(await issuer.issue(TARGET, { signal: new AbortController().signal })).toBe('secret');
    } finally {
      process.chdir(before);
    }
  });

  it('may be combined with a file for the user', async () => {
    const userPath = join(FOLDER, 'user');
    writeFileSync(userPath, 'rotated_app\n');
    expect(await issue('secret', { userPath })).toEqual({ password: 'secret', user: 'rotated_app' });
    rmSync(userPath);
    await expect(issue('secret', { userPath })).rejects.toThrow(/failed to read .*user: ENOENT/);
  });

  it('is not read after the attempt was abandoned', async () => {
    const { signal } = { signal: AbortSignal.abort(new Error('deadline')) };
    await expect(issue('secret', {}, signal)).rejects.toThrow(/failed to read .*password: deadline$/);
  });
});
