import { AuthError } from '../errors.js';
import { errorText } from '../foreign-error.js';

const MAX_REASON_LENGTH = 300;

/** An AuthError `dynamic auth (<backend>): <what>: <reason of the cause>`, without secrets that the cause may quote. */
export function authFailure(backend: string, what: string, cause?: unknown): AuthError {
  const message = `dynamic auth (${backend}): ${what}`;
  if (cause === undefined) return new AuthError(message);
  const shown = withoutQuotes(cause);
  return new AuthError(`${message}: ${reason(shown)}`, { cause: shown });
}

function withoutQuotes(cause: unknown): unknown {
  // Node quotes the text that it could not parse, which here is an answer with credentials.
  if (cause instanceof SyntaxError) return new SyntaxError('the answer could not be parsed');
  // Node quotes the command line and all output of the command, and either may hold a secret.
  if (cause instanceof Error && cause.message.startsWith('Command failed')) {
    return new Error('credential_process failed');
  }
  return cause;
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return 'no reason given';
  const line = errorText(cause)
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return line.slice(0, MAX_REASON_LENGTH) || cause.name;
}
