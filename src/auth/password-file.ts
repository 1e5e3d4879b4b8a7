import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { untilAborted } from '../deadline.js';
import { checkRequired, checkText, refuseUnknown } from '../settings/checks.js';
import type { AuthBackend } from './backend.js';
import { authFailure } from './failure.js';

/** Logs in with a password from a file, such as one mounted by Kubernetes, Docker or a CSI driver. */
export interface DynamicAuthPasswordFile {
  /**
   * The file with the password, read for every attempt; a relative path is resolved against the working directory of
   * the process when the pool is made.
   */
  readonly path: string;
  /** The file with the user, read in the same way; default the `user` of the config. */
  readonly userPath?: string | undefined;
}

const NAME = 'passwordFile';
const SETTINGS = ['path', 'userPath'] as const satisfies readonly (keyof DynamicAuthPasswordFile)[];
/** The longest password that PostgreSQL reads, and a line break. */
const MOST_BYTES = 65_535 + 2;

/** Passwords from a file: a rotation takes effect with the next attempt. */
export const passwordFile: AuthBackend<DynamicAuthPasswordFile> = {
  name: NAME,
  label: 'password file',

  packages: () => [],

  check(settings, path) {
    checkRequired(settings['path'], `${path}.path`);
    for (const name of SETTINGS) checkText(settings[name], `${path}.${name}`);
    if (settings['userPath'] !== undefined) checkRequired(settings['userPath'], `${path}.userPath`);
    refuseUnknown(settings, SETTINGS, path);
  },

  issuer({ path, userPath }) {
    const files = { password: resolve(path), user: userPath === undefined ? undefined : resolve(userPath) };
    return {
      source: Object.freeze({
        provider: NAME,
        hint: `the server rejected the login with the password in ${files.password}: check that the file is up to date and belongs to this user`,
        // The file may be in the middle of a replacement, or it was replaced between reading password and user.
        retryChanged: true,
      }),
      reused: false,
      async issue(_target, { signal }) {
        const password = await readSecret(files.password, signal);
        return files.user === undefined ? password : { password, user: await readSecret(files.user, signal) };
      },
    };
  },
};

/** The text of a file without its last line break; errors name the path and quote none of the text. */
async function readSecret(path: string, signal: AbortSignal): Promise<string> {
  try {
    signal.throwIfAborted();
    return await untilAborted(readText(path), signal);
  } catch (cause) {
    throw authFailure(NAME, `failed to read ${path}`, cause);
  }
}

async function readText(path: string): Promise<string> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer and block one of the few file-system threads.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is not a regular file');
    const text = decode(await readBounded(file)).replace(/\r?\n$/, '');
    if (text === '') throw new Error('it is empty');
    if (text.includes('\0')) throw new Error('it contains a NUL character');
    return text;
  } finally {
    await file.close();
  }
}

/** Reads all bytes of a file; the size that the file system reports may be wrong or change. */
async function readBounded(file: Awaited<ReturnType<typeof open>>): Promise<Buffer> {
  const buffer = Buffer.alloc(MOST_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw new Error(`it has more than ${MOST_BYTES} bytes`);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is not UTF-8 text');
  }
}
