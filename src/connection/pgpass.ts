import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { posix, win32 } from 'node:path';
import { homeFolder, readVariable, type Environment } from '../settings/environment.js';

/** The login that a line of the password file has to match. */
export interface PasswordTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Where to look up the password file, and the function to call when it is ignored. */
export interface PasswordLookup {
  /** Default `process.env`. */
  readonly env?: Environment | undefined;
  /** Called with the reason why the file at `path` was ignored, never with its content. */
  readonly warn?: ((message: string, path: string) => void) | undefined;
}

/** The password file that libpq would read: PGPASSFILE, else that in the home folder; undefined if there is neither. */
export function passfilePath(
  env?: Environment,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const given = readVariable('PGPASSFILE', env);
  if (given !== undefined) return given;
  if (platform === 'win32') {
    const folder = readVariable('APPDATA', env);
    return folder && win32.join(folder, 'postgresql', 'pgpass.conf');
  }
  const home = homeFolder(env);
  return home ? posix.join(home, '.pgpass') : undefined;
}

/**
 * The password of the first line that matches, undefined when no line does. Reads the file at each call, by libpq's
 * rules; never throws.
 */
export async function findPassword(
  target: PasswordTarget,
  { env, warn }: PasswordLookup = {},
): Promise<string | undefined> {
  const path = passfilePath(env);
  if (path === undefined) return undefined;
  try {
    const content = await readPrivateFile(path, (message) => warn?.(message, path));
    return content === undefined ? undefined : matchPassword(content, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      warn?.(`password file ignored: it cannot be read (${code ?? 'unknown'})`, path);
    return undefined;
  }
}

async function readPrivateFile(path: string, warn: (message: string) => void): Promise<string | undefined> {
  // Opening a pipe would otherwise block until it has a writer; Windows has no such flag.
  const nonBlocking = (constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0;
  const file = await open(path, constants.O_RDONLY | nonBlocking);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      warn('password file ignored: it is not a plain file');
      return undefined;
    }
    if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
      warn('password file ignored: group or others have access to it, its mode should be 0600 or less');
      return undefined;
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** The password of the first line of a password file that matches; `''` when that line has none. */
export function matchPassword(content: string, target: PasswordTarget): string | undefined {
  const tokens = [target.host, String(target.port), target.database, target.user];
  for (const line of content.split('\n')) {
    if (line.startsWith('#')) continue;
    const fields = splitLine(line.replace(/\r+$/, ''));
    if (fields.length > tokens.length && tokens.every((token, at) => matches(fields[at] ?? '', token))) {
      return deescape(fields[tokens.length] ?? '');
    }
  }
  return undefined;
}

/** Splits a line at the colons that are not escaped by a backslash. */
function splitLine(line: string): string[] {
  const fields = [''];
  for (const [part] of line.matchAll(/\\?./gsu)) {
    if (part === ':') fields.push('');
    else fields.push((fields.pop() ?? '') + part);
  }
  return fields;
}

function matches(field: string, token: string): boolean {
  return field === '*' || deescape(field) === token;
}

function deescape(field: string): string {
  return field.replace(/\\(.)/gsu, '$1');
}
