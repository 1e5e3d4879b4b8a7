import { property } from '../foreign-error.js';

/** Messages of this form quote all or part of a text that JSON.parse could not read. */
const QUOTES_JSON = /\bJSON\b|Unexpected (token|end)|Unterminated/;

/**
 * Replaces an SDK's error, which may hold the request and the answer: keeps only its name, code and HTTP status, and
 * the given reason with these secrets removed.
 */
export function plainError(
  error: unknown,
  reason: string,
  secrets: readonly (string | undefined)[] = [],
): Error {
  let shown = QUOTES_JSON.test(reason) ? 'the answer could not be parsed' : reason;
  for (const secret of secrets) if (secret) shown = shown.replaceAll(secret, '[hidden]');
  const plain = new Error(shown);
  for (const key of ['name', 'code', 'status']) {
    const value = property(error, key);
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    Object.defineProperty(plain, key, {
      value,
      enumerable: key !== 'name',
      configurable: true,
      writable: true,
    });
  }
  return plain;
}
