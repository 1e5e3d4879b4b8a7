import { cp, mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import type { build } from '../scripts/build/package.js';
import { linkModules } from '../test/support/packages/built-package.js';

const ROOT = join(import.meta.dirname, '..');
const PROGRAMS = join(import.meta.dirname, 'programs');

/** Programs import the package as its users do; only modules that it does not export are taken from its source. */
const packaged = (root: string): esbuild.Plugin => ({
  name: 'packaged',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/src\/index\.js$/ }, () => ({ path: 'pgauge', external: true }));
    onResolve({ filter: /^\.\.\/\.\.\/src\// }, ({ path }) => ({
      path: join(root, path.replace('../../', '').replace(/js$/, 'ts')),
    }));
  },
});

/** A folder with the built package and the programs as JavaScript, so that the package is measured as users get it. */
export class Workspace {
  private constructor(readonly path: string) {}

  /** Builds the package whose sources are in `root`, with the programs of this folder. */
  static async make(root = ROOT): Promise<Workspace> {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'pgauge-bench-')));
    const workspace = new Workspace(path);
    try {
      await install(root, join(path, 'node_modules/pgauge'));
      await linkModules(path);
      await workspace.#buildPrograms(root);
    } catch (error) {
      await workspace[Symbol.asyncDispose]();
      throw error;
    }
    return workspace;
  }

  async #buildPrograms(root: string): Promise<void> {
    const names = await readdir(PROGRAMS);
    await esbuild.build({
      entryPoints: names.map((name) => join(PROGRAMS, name)),
      outdir: this.path,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      packages: 'external',
      plugins: [packaged(root)],
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Builds each tree with its own scripts. */
async function install(root: string, installed: string): Promise<void> {
  await mkdir(installed, { recursive: true });
  const script = (await import(pathToFileURL(join(root, 'scripts/build/package.ts')).href)) as {
    build: typeof build;
  };
  await script.build(join(installed, 'dist'), { types: false });
  await cp(join(root, 'package.json'), join(installed, 'package.json'));
}
