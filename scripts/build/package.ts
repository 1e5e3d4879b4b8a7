import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as esbuild from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const UPLOT = join(ROOT, 'node_modules/uplot');
const run = promisify(execFile);

/**
 * Builds the package into a new folder: the library as one CommonJS module with an ES module that re-exports it, its
 * types, and the command line tool. Without `types`, skips the declarations and the type check, which take most of the
 * time. Throws if something does not compile.
 */
export async function build(outdir: string, { types = true } = {}): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await Promise.all([types && declarations(outdir), library(outdir), tool(join(outdir, 'cli'))]);
}

/** Builds the tool separately, so that the library stays one file; a command loads only the parts that it needs. */
async function tool(outdir: string): Promise<void> {
  const page = join(outdir, 'page');
  await bundle({ entryPoints: ['src/cli/main.ts'], format: 'esm', outdir, splitting: true });
  await cp(join(ROOT, 'src/watch/page'), page, { recursive: true });
  for (const name of ['uPlot.iife.min.js', 'uPlot.min.css'])
    await cp(join(UPLOT, 'dist', name), join(page, name));
  await cp(join(UPLOT, 'LICENSE'), join(page, 'uPlot.LICENSE'));
}

/**
 * Builds the library as CommonJS, for `require` and bundlers; the ES module re-exports it, so that there is only one
 * copy of the library.
 */
async function library(outdir: string): Promise<void> {
  const entryPoints = ['src/index.ts'];
  const outfile = join(outdir, 'index.cjs');
  const [, { metafile }] = await Promise.all([
    bundle({ entryPoints, format: 'cjs', outfile, plugins: [requireOfCommonJs] }),
    bundle({ entryPoints, format: 'esm', outfile, metafile: true, write: false }),
  ]);
  const names = Object.values(metafile?.outputs ?? {}).flatMap((output) => output.exports);
  const list = `export {\n  ${names.sort().join(',\n  ')},\n}`;
  await writeFile(join(outdir, 'index.js'), `${list} from './exports.cjs';\n`);
  // Node scans a CommonJS module that is imported for its export names: a small file spares it the whole library.
  const lines = names.map((name) => `exports.${name} = library.${name};\n`);
  const text = `'use strict';\nconst library = require('./index.cjs');\n${lines.join('')}`;
  await writeFile(join(outdir, 'exports.cjs'), text);
}

/** The sources create a `require`; CommonJS has its own, whose calls bundlers can follow. */
const requireOfCommonJs: esbuild.Plugin = {
  name: 'require-of-commonjs',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { loader: 'ts', contents: text.replace('const require = createRequire(import.meta.url);', '') };
    });
  },
};

/** Declarations of the library only, as CommonJS, which both kinds of importers can use. */
async function declarations(outdir: string): Promise<void> {
  const types = join(outdir, 'types');
  await mkdir(types, { recursive: true });
  await writeFile(join(types, 'package.json'), '{ "type": "commonjs" }\n');
  for (const ending of ['ts', 'cts'])
    await writeFile(join(outdir, `index.d.${ending}`), "export * from './types/index.js';\n");
  const args = [TSC, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', types];
  await run(process.execPath, args, { cwd: ROOT }).catch((error: unknown) => {
    throw new Error(`the package does not compile:\n${(error as { stdout?: string }).stdout ?? ''}`, {
      cause: error,
    });
  });
}

/** Bundles the modules: one loads several times faster than sixty small ones. */
async function bundle(options: esbuild.BuildOptions): Promise<esbuild.BuildResult> {
  return await esbuild.build({
    ...options,
    absWorkingDir: ROOT,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20.19',
    charset: 'utf8',
    logLevel: 'warning',
    // A remaining `import.meta` would be empty in CommonJS.
    logOverride: { 'empty-import-meta': 'error' },
  });
}
