import { execFileSync } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { dirname } from 'node:path';
import { postgresFolders } from '../../support/tools/postgres.js';
import { findTool } from '../../support/tools/run-tool.js';

const PACKAGES = 'apt-get install patroni etcd-server postgresql haproxy';

/** The programs that a cluster needs, and the user who may run PostgreSQL. */
export interface Tools {
  readonly etcd: string;
  readonly patroni: string;
  readonly haproxy: string;
  /** The folder of PostgreSQL's programs. */
  readonly postgresBin: string;
  /** Undefined when the caller is not root, and runs everything as the current user. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/** Finds the programs; throws a `MissingTool` with the command that installs them. */
export async function findTools(): Promise<Tools> {
  const install = `install it (Debian: ${PACKAGES})`;
  const find = (name: string) => findTool(name, install, ['/usr/bin', '/usr/sbin']);
  const [etcd, patroni, haproxy] = await Promise.all([find('etcd'), find('patroni'), find('haproxy')]);
  // Search for pg_rewind, which full installations contain and server-only ones lack.
  const rewind = await findTool('pg_rewind', install, postgresFolders());
  return { etcd, patroni, haproxy, postgresBin: dirname(rewind), user: postgresUser() };
}

function postgresUser(): Tools['user'] {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Makes the user who runs PostgreSQL the owner of a file or folder. */
export async function own(path: string, { user }: Tools): Promise<void> {
  if (user) await chown(path, user.uid, user.gid);
}
