import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 180_000;

/** Installs packages with npm into a folder that contains only the given manifest. */
export async function install(
  folder: string,
  packages: readonly string[],
  { manifest, flags = [] }: { manifest: object; flags?: readonly string[] },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, ...manifest }));
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run('npm', ['install', ...options, ...flags, ...packages], {
    cwd: folder,
    timeout: INSTALL_TIMEOUT_MS,
  });
}

/** A version of Node and its path. */
export interface NodeBinary {
  readonly binary: string;
  readonly version: string;
}

/** Installs a version of Node into a separate folder. */
export async function installNode(folder: string, version: string): Promise<NodeBinary> {
  // The package `node` fetches its binary in an install script.
  await install(folder, [`node@${version}`], { manifest: { allowScripts: { node: true } } });
  const binary = join(folder, 'node_modules/node/bin/node');
  const { stdout } = await run(binary, ['--version']);
  return { binary, version: stdout.trim().slice(1) };
}
