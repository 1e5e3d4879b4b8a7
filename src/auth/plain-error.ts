import { property } from '../foreign-error.js';

/** A text that JSON.parse could not read, or a part of it, is quoted by messages of this form. */
const QUOTES_JSON = /\bJSON\b|Unexpected (token|end)|Unterminated/;

/**
 * An error in the place of an SDK's, which may hold the request and the answer: only its name, code and HTTP status, and
 * the reason given, from which these secrets are taken out.
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
