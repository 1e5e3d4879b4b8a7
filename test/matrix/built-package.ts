import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** Compiles this package into a new folder `node_modules/pgauge` of `folder`, as it would be installed there. Throws when it does not compile. */
export async function installBuilt(folder: string): Promise<void> {
  const installed = join(folder, 'node_modules/pgauge');
  await mkdir(installed, { recursive: true });
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(installed, 'dist')];
  await run(process.execPath, args, { cwd: ROOT }).catch((error: unknown) => {
    throw new Error(`the package does not compile:\n${(error as { stdout?: string }).stdout ?? ''}`, {
      cause: error,
    });
  });
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
}

/** Writes a TypeScript module of ours as JavaScript that any Node runs, and that gets pgauge as a package. */
export async function writeProgram(source: URL, target: string): Promise<void> {
  const text = await readFile(source, 'utf8');
  const { outputText } = ts.transpileModule(text, {
    fileName: source.pathname,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  await writeFile(target, outputText.replaceAll(/'(?:\.\.\/)+src\/index\.js'/g, "'pgauge'"));
}
