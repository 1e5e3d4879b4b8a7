import { AuthError } from '../errors.js';
import { property } from '../foreign-error.js';

/** A package that a backend needs and that is installed only where it is used. */
export interface OptionalPackage<Exports = unknown> {
  readonly name: string;
  /** Loads it; rejects with the error of whatever loads modules here. */
  load(): Promise<Exports>;
}

/** From `import`, and from `require` and bundlers. */
const NOT_FOUND: readonly unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

/**
 * Loads the packages; rejects with AuthError and the command that installs the missing ones. Loading is the only question
 * that is answered alike in `node_modules`, in a bundle and under Yarn's Plug'n'Play. One that is there but cannot be
 * loaded fails when it is used.
 */
export async function requirePackages(backend: string, packages: readonly OptionalPackage[]): Promise<void> {
  const failures = await Promise.all(
    packages.map(async ({ name, load }) => {
      try {
        await load();
        return [];
      } catch (error) {
        return isMissing(name, error) ? [{ name, error }] : [];
      }
    }),
  );
  const missing = failures.flat();
  if (missing.length === 0) return;
  const command = `npm install ${missing.map(({ name }) => name).join(' ')}`;
  throw new AuthError(`dynamic auth (${backend}): a package it needs is not installed: ${command}`, {
    cause: missing[0]?.error,
  });
}

/** Which of the errors of `import()` and then `require` to report: there may be no `import()` (Jest) or no `require` (an ES module). */
export function loadFailure(ofImport: unknown, ofRequire: unknown): unknown {
  return isNotFound(ofRequire) ? ofRequire : ofImport;
}

function isNotFound(error: unknown): boolean {
  return NOT_FOUND.includes(property(error, 'code'));
}

/** Whether a package could not be found itself, rather than something that it needs. */
function isMissing(name: string, error: unknown): boolean {
  if (!isNotFound(error)) return false;
  const [line = ''] = String(property(error, 'message')).split('\n', 1);
  // Not followed by more of a path: that of the file whose import failed.
  return new RegExp(`${name}(?![\\w./\\\\-])`).test(line);
}
