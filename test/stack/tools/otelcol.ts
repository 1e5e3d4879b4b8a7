import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtOnce } from '../../support/tools/build-cache.js';
import { goTool } from '../../support/tools/go.js';
import { runTool } from '../../support/tools/run-tool.js';

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.155.0';
const MANIFEST = join(import.meta.dirname, 'otelcol.builder.yaml');

/** Path of the collector, built by its own builder from Go modules. */
export async function otelcol(): Promise<string> {
  const manifest = await readFile(MANIFEST, 'utf8');
  return await builtOnce('otelcol', `${BUILDER}\n${manifest}`, async (cwd) => {
    await writeFile(join(cwd, 'builder.yaml'), manifest);
    await runTool(await goTool(), ['run', BUILDER, '--config', 'builder.yaml'], { cwd });
  });
}
