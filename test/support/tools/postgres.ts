import { readdirSync } from 'node:fs';

const FOLDER = '/usr/lib/postgresql';

/** Debian's folders of PostgreSQL, the newest first. */
export function postgresFolders(): string[] {
  try {
    const versions = readdirSync(FOLDER).map(Number).filter(Number.isFinite);
    return versions.sort((a, b) => b - a).map((version) => `${FOLDER}/${version}/bin`);
  } catch {
    return [];
  }
}
