import pg from 'pg';
import type { LocalPostgres } from '../../local-rds/index.js';

const ASCII = String.fromCharCode(...Array.from({ length: 95 }, (_, at) => at + 32));

/** Odd users, passwords and databases that PostgreSQL accepts; a name has at most 63 bytes. */
export const ODD_LOGINS: readonly {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}[] = [
  { user: 'two words', password: 'pass word', database: 'a-b.c_d~e' },
  { user: `it's "quoted"`, password: `'"\`\\`, database: `it's"quoted"` },
  { user: 'me@home', password: 'p@ss:w/rd', database: 'at@colon:' },
  { user: 'a:b/c', password: '://:@/', database: '100%41' },
  { user: '%41%zz', password: '%2F%', database: '%25' },
  { user: 'a?b#c', password: '?sslmode=disable#x', database: '[::1]' },
  { user: 'grüße', password: 'pässwörd', database: 'größe' },
  { user: '日本語', password: '密码🔑', database: '数据库' },
  { user: '🐘', password: '🐘🐘', database: '🐘' },
  { user: ASCII.slice(0, 63), password: ASCII, database: '$&+,;=!*()' },
  { user: ASCII.slice(32), password: `${ASCII}${ASCII}`, database: ASCII.slice(32) },
  { user: ' ', password: ' ', database: '{}|^`<>' },
];

/** Creates the user and the database of a login. */
export async function createLogin(
  server: LocalPostgres,
  { user, password, database }: (typeof ODD_LOGINS)[number],
): Promise<void> {
  await createUser(server, user, password);
  await server.query(`create database ${pg.escapeIdentifier(database)}`);
}

/** Creates a user with a password. */
export async function createUser(server: LocalPostgres, user: string, password: string): Promise<void> {
  await server.query(`create role ${pg.escapeIdentifier(user)} login password ${pg.escapeLiteral(password)}`);
}
