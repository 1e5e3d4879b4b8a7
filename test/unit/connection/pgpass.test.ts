import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPassword, matchPassword, passfilePath } from '../../../src/connection/pgpass.js';

const TARGET = { host: 'db.example.com', port: 5432, database: 'app', user: 'alice' };

describe('matchPassword', () => {
  it.each<[string, string, string | undefined]>([
    ['uses the matching line', 'db.example.com:5432:app:alice:secret\n', 'secret'],
    [
      'uses the first of two matching lines',
      '*:*:*:*:first\ndb.example.com:5432:app:alice:second\n',
      'first',
    ],
    ['reads a last line without a newline', 'db.example.com:5432:app:alice:secret', 'secret'],
    ['reads lines that end in CR LF', 'x:1:y:z:no\r\ndb.example.com:5432:app:alice:secret\r\n', 'secret'],
    ['matches every field with a star', '*:*:*:*:any', 'any'],
    ['skips another host', 'db:5432:app:alice:no', undefined],
    ['skips another port', 'db.example.com:5433:app:alice:no', undefined],
    ['skips another database', 'db.example.com:5432:apps:alice:no', undefined],
    ['skips another user', 'db.example.com:5432:app:Alice:no', undefined],
    ['does not expand a star inside a name', 'db.*:5432:app:alice:no', undefined],
    ['reads an escaped star as a literal name', '\\*:5432:app:alice:no', undefined],
    ['skips comments', '#*:*:*:*:no\n*:*:*:*:yes', 'yes'],
    ['skips short lines', '*:*:*:*\n*\n\n*:*:*:*:yes', 'yes'],
    ['ends the password at a colon', '*:*:*:*:pass:word', 'pass'],
    ['unescapes colons and backslashes', '*:*:*:*:a\\:b\\\\c', 'a:b\\c'],
    ['unescapes any character', '*:*:*:*:\\p\\w', 'pw'],
    ['keeps a backslash at the end', '*:*:*:*:pw\\', 'pw\\'],
    ['keeps spaces', '*:*:*:*: pw ', ' pw '],
    ['keeps characters beyond ASCII', '*:*:*:*:пароль😀', 'пароль😀'],
    ['uses a first match even without a password', '*:*:*:*:\n*:*:*:*:no', ''],
    ['finds nothing in an empty file', '', undefined],
  ])('%s', (_title, content, expected) => {
    expect(matchPassword(content, TARGET)).toBe(expected);
  });

  it('matches names with escaped colons and backslashes', () => {
    const target = { host: '::1', port: 1, database: 'a:b', user: 'c\\d' };
    expect(matchPassword('\\:\\:1:1:a\\:b:c\\\\d:pw', target)).toBe('pw');
  });
});

describe('passfilePath', () => {
  it.each<[string, NodeJS.ProcessEnv, NodeJS.Platform, string | undefined]>([
    ['is PGPASSFILE', { PGPASSFILE: '/x', HOME: '/h' }, 'linux', '/x'],
    ['is in the home folder', { HOME: '/h' }, 'linux', '/h/.pgpass'],
    ['treats an empty PGPASSFILE as unset', { PGPASSFILE: '', HOME: '/h' }, 'darwin', '/h/.pgpass'],
    ['asks the system without HOME', {}, 'linux', `${homedir()}/.pgpass`],
    ['is in APPDATA on Windows', { APPDATA: 'C:\\A' }, 'win32', 'C:\\A\\postgresql\\pgpass.conf'],
    ['is nowhere on Windows without APPDATA', {}, 'win32', undefined],
  ])('%s', (_title, env, platform, expected) => {
    expect(passfilePath(env, platform)).toBe(expected);
  });
});

describe.skipIf(process.platform === 'win32')('findPassword', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pgauge-pgpass-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function file(name: string, content: string, mode = 0o600): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    await chmod(path, mode);
    return path;
  }

  async function find(path: string): Promise<{ password: string | undefined; warnings: string[] }> {
    const warnings: string[] = [];
    const warn = (message: string, at: string): void => void warnings.push(`${at}: ${message}`);
    return { password: await findPassword(TARGET, { env: { PGPASSFILE: path }, warn }), warnings };
  }

  it('reads the file anew at each call', async () => {
    const path = await file('changing', '*:*:*:*:old\n');
    expect((await find(path)).password).toBe('old');
    await writeFile(path, '*:*:*:*:new\n');
    expect((await find(path)).password).toBe('new');
  });

  it('follows a symbolic link', async () => {
    const path = join(folder, 'link');
    await symlink(await file('linked', '*:*:*:*:pw'), path);
    expect(await find(path)).toEqual({ password: 'pw', warnings: [] });
  });

  it('reads .pgpass in the home folder', async () => {
    await file('.pgpass', '*:*:*:*:home');
    expect(await findPassword(TARGET, { env: { HOME: folder } })).toBe('home');
  });

  it.each([0o640, 0o604, 0o610, 0o601, 0o666])('ignores a file of mode %o with a warning', async (mode) => {
    const path = await file('open', '*:*:*:*:canary', mode);
    const { password, warnings } = await find(path);
    expect(password).toBeUndefined();
    expect(warnings).toEqual([
      `${path}: password file ignored: group or others have access to it, its mode should be 0600 or less`,
    ]);
  });

  it('accepts a read-only file', async () => {
    expect((await find(await file('readonly', '*:*:*:*:pw', 0o400))).password).toBe('pw');
  });

  it('ignores a folder with a warning', async () => {
    const path = join(folder, 'folder');
    await mkdir(path);
    const { password, warnings } = await find(path);
    expect(password).toBeUndefined();
    expect(warnings).toEqual([`${path}: password file ignored: it is not a plain file`]);
  });

  it('ignores a pipe without a writer, and does not wait for it', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', path]);
    expect((await find(path)).warnings).toEqual([`${path}: password file ignored: it is not a plain file`]);
  });

  it('logs nothing about a file that does not exist', async () => {
    expect(await find(join(folder, 'missing'))).toEqual({ password: undefined, warnings: [] });
    expect(await find(join(await file('plain', ''), 'below'))).toEqual({ password: undefined, warnings: [] });
  });

  it('warns about a file that cannot be opened', async () => {
    const path = join(folder, 'loop');
    await symlink(path, path);
    expect((await find(path)).warnings).toEqual([
      `${path}: password file ignored: it cannot be read (ELOOP)`,
    ]);
  });
});
