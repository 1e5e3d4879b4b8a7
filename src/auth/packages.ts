import { AuthError } from '../errors.js';
import { property } from '../foreign-error.js';

/** A package that a backend needs and that is installed only where it is used. */
export interface OptionalPackage<Exports = unknown> {
  readonly name: string;
  /** The exports that are needed; a version without them is too old. */
  readonly needs: readonly string[];
  /** Loads it; rejects with the error of the module loader in use. */
  load(): Promise<Exports>;
}

/** The error codes of `import`, and of `require` and bundlers. */
const NOT_FOUND: readonly unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

/**
 * Loads the packages; rejects with AuthError and the command that installs those that are missing or too old. Loading
 * is the only check that works the same way in `node_modules`, in a bundle and under Yarn's Plug'n'Play. A package
 * that is present but cannot be loaded fails when it is used.
 */
export async function requirePackages(backend: string, packages: readonly OptionalPackage[]): Promise<void> {
  const failures = await Promise.all(
    packages.map(async ({ name, needs, load }) => {
      try {
        const exports = await load();
        const lacking = needs.filter((one) => typeof property(exports, one) !== 'function');
        return lacking.length > 0 ? [{ name: `${name}@latest`, lacking, error: undefined }] : [];
      } catch (error) {
        return isMissing(name, error) ? [{ name, lacking: [], error }] : [];
      }
    }),
  );
  const unfit = failures.flat();
  const [first] = unfit;
  if (first === undefined) return;
  const command = `npm install ${unfit.map(({ name }) => name).join(' ')}`;
  const lacking = unfit.flatMap(({ lacking: names }) => names);
  const what = unfit.some(({ error }) => error !== undefined)
    ? 'is not installed'
    : `is too old, it has no ${lacking.join(', ')}`;
  throw new AuthError(`dynamic auth (${backend}): a package it needs ${what}: ${command}`, {
    cause: unfit.find(({ error }) => error !== undefined)?.error,
  });
}

/** Which of the errors of `import()` and then `require` to report: there may be no `import()` (Jest) or no `require` (an ES module). */
export function loadFailure(ofImport: unknown, ofRequire: unknown): unknown {
  return isNotFound(ofRequire) ? ofRequire : ofImport;
}

function isNotFound(error: unknown): boolean {
  return NOT_FOUND.includes(property(error, 'code'));
}

/** Whether the package itself was not found, rather than one of its dependencies. */
function isMissing(name: string, error: unknown): boolean {
  if (!isNotFound(error)) return false;
  const [line = ''] = String(property(error, 'message')).split('\n', 1);
  // Not followed by more of a path, which would belong to the file whose import failed.
  return new RegExp(`${name}(?![\\w./\\\\-])`).test(line);
}
