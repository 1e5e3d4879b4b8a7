import { cp, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { builtOnce } from '../support/tools/build-cache.js';
import { goTool } from '../support/tools/go.js';
import { runTool } from '../support/tools/run-tool.js';

const FOLDER = fileURLToPath(new URL('contenders/pgxpool', import.meta.url));
const FILES = ['go.mod', 'go.sum', 'main.go'];

/** Path of the contender written in Go, built unless it was built before. */
export async function buildPgxpool(): Promise<string> {
  const recipe = await Promise.all(FILES.map((file) => readFile(`${FOLDER}/${file}`, 'utf8')));
  return await builtOnce('failover-pgxpool', recipe.join(''), async (cwd) => {
    await cp(FOLDER, cwd, { recursive: true });
    await runTool(await goTool(), ['build', '-trimpath', '-o', 'failover-pgxpool', '.'], { cwd });
  });
}
