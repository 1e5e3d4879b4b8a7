import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { installBuilt, linkModules } from '../test/support/packages/built-package.js';

const PROGRAMS = join(import.meta.dirname, 'programs');

/** Programs get the package as its users do; only what it does not export comes from its source. */
const packaged: esbuild.Plugin = {
  name: 'packaged',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/src\/index\.js$/ }, () => ({ path: 'pgauge', external: true })),
};

/** A folder with the built package and the programs as JavaScript: what is measured is what users get. */
export class Workspace {
  private constructor(readonly path: string) {}

  static async make(): Promise<Workspace> {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'pgauge-bench-')));
    const workspace = new Workspace(path);
    try {
      await installBuilt(path);
      await linkModules(path);
      await workspace.#buildPrograms();
    } catch (error) {
      await workspace[Symbol.asyncDispose]();
      throw error;
    }
    return workspace;
  }

  async #buildPrograms(): Promise<void> {
    const names = await readdir(PROGRAMS);
    await esbuild.build({
      entryPoints: names.map((name) => join(PROGRAMS, name)),
      outdir: this.path,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      packages: 'external',
      plugins: [packaged],
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
