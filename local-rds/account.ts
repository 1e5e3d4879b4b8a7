import { readFileSync } from 'node:fs';

/** The account under which a server process is started. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

// PostgreSQL refuses to run as root.
const CANDIDATES = ['postgres', 'nobody'];

/**
 * The unprivileged account under which root starts PostgreSQL, `undefined` if this process is not root; throws if root
 * finds none.
 */
export function serverAccount(
  passwdFile = '/etc/passwd',
  uidOfProcess = process.getuid?.(),
): Account | undefined {
  if (uidOfProcess !== 0) return undefined;
  const lines = readFileSync(passwdFile, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const candidate of CANDIDATES) {
    const found = lines.find(([name]) => name === candidate);
    const uid = Number(found?.[2]);
    const gid = Number(found?.[3]);
    if (found && Number.isInteger(uid) && uid > 0 && Number.isInteger(gid)) {
      return { name: candidate, uid, gid };
    }
  }
  throw new Error(
    `cannot start PostgreSQL: it does not run as root, and ${passwdFile} has no account named ${CANDIDATES.join(' or ')} to run it as`,
  );
}
