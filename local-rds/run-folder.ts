import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account } from './account.js';

// The path of a unix socket is limited to about 104 bytes, including `.s.PGSQL.65535`.
const MAX_FOLDER_BYTES = 80;

/**
 * Creates a private folder for data, sockets and keys, owned by the server's account, in the system's temporary folder
 * or /tmp.
 */
export async function makeRunFolder(account: Account | undefined): Promise<string> {
  for (const base of temporaryFolders()) {
    const folder = await mkdtemp(join(base, 'local-rds-'));
    if (account) chownSync(folder, account.uid, account.gid);
    if (Buffer.byteLength(folder) <= MAX_FOLDER_BYTES && canEnter(folder, account)) return folder;
    await rm(folder, { recursive: true });
  }
  throw new Error(
    `cannot start PostgreSQL: account "${account?.name ?? 'of this process'}" cannot enter a folder made in ${tmpdir()} or /tmp`,
  );
}

/** Writes a file that only the server's account may read. */
export async function writePrivate(path: string, text: string, account: Account | undefined): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  if (account) chownSync(path, account.uid, account.gid);
}

/**
 * Folders for temporary files, the preferred one first: root's TMPDIR may be inaccessible to the server's account, or
 * its path too long.
 */
export function temporaryFolders(): string[] {
  return [...new Set([tmpdir(), '/tmp'])];
}

/** Whether the account can enter a folder. */
export function canEnter(folder: string, account: Account | undefined): boolean {
  if (!account) return true;
  const { uid, gid } = account;
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { uid, gid, env: {}, cwd: '/' }).status === 0;
}
