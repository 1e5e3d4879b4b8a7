import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as esbuild from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const run = promisify(execFile);

/** Builds the package into a new folder: types by the compiler, one module for the library, and the command line tool. Throws when something does not compile. */
export async function build(outdir: string): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await Promise.all([
    declarations(outdir),
    bundle({ entryPoints: ['src/index.ts'], outdir }),
    // Apart from the library's module, which stays one file; what `--help` does not need is loaded when it is.
    bundle({ entryPoints: ['src/doctor/main.ts'], outdir: join(outdir, 'doctor'), splitting: true }),
  ]);
}

async function declarations(outdir: string): Promise<void> {
  const args = [TSC, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', outdir];
  await run(process.execPath, args, { cwd: ROOT }).catch((error: unknown) => {
    throw new Error(`the package does not compile:\n${(error as { stdout?: string }).stdout ?? ''}`, {
      cause: error,
    });
  });
}

/** One module loads several times faster than sixty small ones. */
async function bundle(options: esbuild.BuildOptions): Promise<void> {
  await esbuild.build({
    ...options,
    absWorkingDir: ROOT,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    charset: 'utf8',
    logLevel: 'warning',
  });
}
