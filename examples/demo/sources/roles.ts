import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { LocalRds } from '../../../local-rds/index.js';

/** Creates a role that may do what the owner of the database may. */
export async function createRole(
  rds: LocalRds,
  name: string,
  login: Parameters<LocalRds['createUser']>[1],
): Promise<void> {
  await rds.createUser(name, login);
  await rds.postgres.query(grantOwner(rds, pg.escapeIdentifier(name)));
}

/** The statement that makes a role, by its quoted name, a member of the owner's. */
export function grantOwner({ user }: LocalRds, role: string): string {
  return `GRANT ${pg.escapeIdentifier(user)} TO ${role}`;
}

/** Gives a role a new password. */
export async function setPassword(rds: LocalRds, name: string): Promise<string> {
  const password = newPassword();
  const [role, text] = [pg.escapeIdentifier(name), pg.escapeLiteral(password)];
  await rds.postgres.query(`ALTER ROLE ${role} PASSWORD ${text}`);
  return password;
}

export function newPassword(): string {
  return randomBytes(15).toString('base64url');
}
