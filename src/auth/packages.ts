import { createRequire } from 'node:module';
import { AuthError } from '../errors.js';

const { resolve } = createRequire(import.meta.url);

/** Checks that the packages can be found, without loading them; throws AuthError with the command that installs the missing ones. */
export function requirePackages(backend: string, names: readonly string[]): void {
  const missing: string[] = [];
  let cause: unknown;
  for (const name of names) {
    try {
      resolve(name);
    } catch (error) {
      missing.push(name);
      cause ??= error;
    }
  }
  if (missing.length > 0) {
    const command = `npm install ${missing.join(' ')}`;
    throw new AuthError(`dynamic auth (${backend}): a package it needs is not installed: ${command}`, {
      cause,
    });
  }
}
