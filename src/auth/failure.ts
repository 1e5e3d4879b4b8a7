import { AuthError } from '../errors.js';

const MAX_REASON_LENGTH = 300;

/** An AuthError that reads `dynamic auth (<backend>): <what>: <reason of the cause>`. */
export function authFailure(backend: string, what: string, cause?: unknown): AuthError {
  const message = `dynamic auth (${backend}): ${what}`;
  return cause === undefined
    ? new AuthError(message)
    : new AuthError(`${message}: ${reason(cause)}`, { cause });
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return 'no reason given';
  // Node quotes the text that it could not parse, which here is an answer full of credentials.
  if (cause instanceof SyntaxError) return 'the answer is not valid JSON';
  // Node quotes the command line and all it wrote, and either may hold a secret.
  if (cause.message.startsWith('Command failed')) return 'credential_process failed';
  const line = cause.message.replace(/\p{Cc}+/gu, ' ').trim();
  return line.slice(0, MAX_REASON_LENGTH) || cause.name;
}
