import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtOnce } from './build-cache.js';
import { findTool, runTool } from './run-tool.js';

/** A program of a Go module. */
export interface GoProgram {
  /** The name of the binary. */
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** Folder of the program in the module. */
  readonly folder: string;
  /** Additional arguments of `go build`. */
  readonly flags?: readonly string[];
}

/** Path of `go`. */
export async function goTool(): Promise<string> {
  return await findTool('go', 'install Go 1.26 or newer from https://go.dev/dl', ['/usr/local/go/bin']);
}

/**
 * The path of a program, built from its module unless it was built before. A wrapper module is made around it, because
 * `go install` refuses modules with replace directives.
 */
export async function goProgram({ name, module, version, folder, flags = [] }: GoProgram): Promise<string> {
  const goMod = `module pgauge/${name}\n\ngo 1.26\n\nrequire ${module} ${version}\n`;
  const args = ['build', '-mod=mod', '-trimpath', ...flags, '-o', name, `${module}/${folder}`];
  return await builtOnce(name, JSON.stringify({ goMod, args }), async (cwd) => {
    await writeFile(join(cwd, 'go.mod'), goMod);
    await runTool(await goTool(), args, { cwd });
  });
}
