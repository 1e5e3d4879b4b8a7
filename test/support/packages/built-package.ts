import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { build } from '../../../scripts/build/package.js';

const ROOT = join(import.meta.dirname, '../../..');

/**
 * Builds this package into a new folder `node_modules/pgauge` of `folder`, as if installed there; without `types` for
 * programs that only run. Throws when it does not compile.
 */
export async function installBuilt(folder: string, options?: { readonly types: boolean }): Promise<void> {
  const installed = join(folder, 'node_modules/pgauge');
  await mkdir(installed, { recursive: true });
  await build(join(installed, 'dist'), options);
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
}

/** Links the packages installed in this project into `node_modules` of `folder`, next to those already there. */
export async function linkModules(folder: string): Promise<void> {
  const modules = join(ROOT, 'node_modules');
  for (const name of await readdir(modules)) {
    if (!name.startsWith('.')) await symlink(join(modules, name), join(folder, 'node_modules', name));
  }
}

/**
 * Writes one of our TypeScript modules as JavaScript that any Node runs and that imports pgauge as a package; CommonJS
 * if `target` ends with `.cjs`.
 */
export async function writeProgram(source: URL, target: string): Promise<void> {
  const text = await readFile(source, 'utf8');
  const isCommonJs = target.endsWith('.cjs');
  const { outputText } = ts.transpileModule(text, {
    fileName: source.pathname,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: isCommonJs ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
      verbatimModuleSyntax: !isCommonJs,
      esModuleInterop: true,
    },
  });
  await writeFile(target, asUser(outputText));
}

/** The text of one of our modules as a user of the package would have written it. */
export function asUser(text: string): string {
  return text.replaceAll(/'(?:\.\.\/)+src\/index\.js'/g, "'pgauge'");
}
