import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The path of a tool's binary; `build` builds it into the given folder unless the same recipe was built before. */
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
    // Rename atomically; another build may have finished first.
    await rename(folder, finished).catch((error: unknown) => {
      if (!existsSync(binary)) throw error;
    });
  } finally {
    process.off('exit', remove);
    remove();
  }
  return binary;
}
