import { AuthError, ConfigError } from './errors.js';
import type { IssuedLogin, TokenSource } from './hooks.js';
import { checkText } from './settings/checks.js';
import { throwLater } from './throw-later.js';

/** The longest password in bytes that PostgreSQL reads. */
const LONGEST_PASSWORD = 65_535;

/** Returns the answer of a source if it can be sent as a password; throws AuthError, before anything is dialled. */
export function checkedAnswer<T extends string | IssuedLogin>({ provider }: TokenSource, answer: T): T {
  const problem = problemOf(answer);
  if (problem === undefined) return answer;
  throw new AuthError(`dynamic auth (${provider}): ${problem}`);
}

/** Notifies a source that the server rejected a login with its password. */
export function tellRejected(source: TokenSource | undefined): void {
  try {
    source?.rejected?.();
  } catch (error) {
    throwLater(error);
  }
}

function problemOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return passwordProblem(answer);
  const { password, user, expiresAt } = answer as Readonly<Record<keyof IssuedLogin, unknown>>;
  return passwordProblem(password) ?? userProblem(user) ?? expirationProblem(expiresAt);
}

function passwordProblem(password: unknown): string | undefined {
  if (typeof password !== 'string') return 'the token is no text';
  if (password === '') return 'the token is an empty text';
  if (password.includes('\0')) return 'the token contains a NUL character';
  const bytes = Buffer.byteLength(password);
  return bytes > LONGEST_PASSWORD
    ? `the token has ${bytes} bytes, and ${LONGEST_PASSWORD} are possible`
    : undefined;
}

function userProblem(user: unknown): string | undefined {
  if (user === '') return 'the user is an empty text';
  try {
    checkText(user ?? undefined, 'the user');
    return undefined;
  } catch (error) {
    return error instanceof ConfigError ? error.message : 'the user cannot be read';
  }
}

function expirationProblem(expiresAt: unknown): string | undefined {
  if (expiresAt === undefined) return undefined;
  if (!(expiresAt instanceof Date) || Number.isNaN(expiresAt.getTime())) return 'expiresAt must be a Date';
  return expiresAt.getTime() > Date.now()
    ? undefined
    : `the token expired at ${expiresAt.toJSON()}: check its source and the clock of this machine`;
}
