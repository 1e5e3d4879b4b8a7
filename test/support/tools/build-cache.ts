import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Path of a tool's binary, built by `build` into the folder it is given unless that was done before for the same recipe. */
export async function builtOnce(
  tool: string,
  recipe: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pgauge');
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const finished = join(cache, `${tool}-${hash}`);
  const binary = join(finished, tool);
  if (existsSync(binary)) return binary;

  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, `${tool}-building-`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    console.log(`building ${tool}, once for this version of it ...`);
    await build(folder);
    if (!existsSync(join(folder, tool))) throw new Error(`the build of ${tool} made no ${tool}`);
    // Whole or not at all; another build may have been faster.
    await rename(folder, finished).catch((error: unknown) => {
      if (!existsSync(binary)) throw error;
    });
  } finally {
    process.off('exit', remove);
    remove();
  }
  return binary;
}
