import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { LocalRds } from '../../../local-rds/index.js';

/** Creates a role with the same privileges as the database's owner. */
export async function createRole(
  rds: LocalRds,
  name: string,
  login: Parameters<LocalRds['createUser']>[1],
): Promise<void> {
  await rds.createUser(name, login);
  await rds.postgres.query(grantOwner(rds, pg.escapeIdentifier(name)));
}

/** The statement that makes a role (by its quoted name) a member of the owner's role. */
export function grantOwner({ user }: LocalRds, role: string): string {
  return `GRANT ${pg.escapeIdentifier(user)} TO ${role}`;
}

/** Sets a new password for a role. */
export async function setPassword(rds: LocalRds, name: string): Promise<string> {
  const password = newPassword();
  const [role, text] = [pg.escapeIdentifier(name), pg.escapeLiteral(password)];
  await rds.postgres.query(`ALTER ROLE ${role} PASSWORD ${text}`);
  return password;
}

export function newPassword(): string {
  return randomBytes(15).toString('base64url');
}
