import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { LocalRds } from '../../../local-rds/index.js';

let made = 0;

/** A PostgreSQL role whose password changes. */
export interface RotatingRole {
  readonly user: string;
  /** All passwords it has had, the current one last. */
  readonly passwords: readonly string[];
  readonly password: string;
  rotate(): Promise<void>;
}

/** Creates a role with a unique name and password. */
export async function createRotatingRole(rds: LocalRds): Promise<RotatingRole> {
  made += 1;
  const user = `rotating_${made}`;
  const passwords = [newPassword()];
  const current = (): string => passwords.at(-1) ?? '';
  await rds.createUser(user, { password: current() });
  return {
    user,
    passwords,
    get password() {
      return current();
    },
    async rotate() {
      passwords.push(newPassword());
      const [role, password] = [pg.escapeIdentifier(user), pg.escapeLiteral(current())];
      await rds.postgres.query(`alter role ${role} password ${password}`);
    },
  };
}

function newPassword(): string {
  return `canary-${randomBytes(9).toString('hex')}`;
}
