// node esbuild.mjs <project> <outdir>
import { build } from 'esbuild';

const [, , absWorkingDir, outdir] = process.argv;
// What bundles of CommonJS need in an ES module, whatever is in them.
const js = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

for (const format of ['cjs', 'esm']) {
  for (const minify of [false, true]) {
    const { warnings } = await build({
      absWorkingDir,
      entryPoints: ['main.mjs'],
      bundle: true,
      platform: 'node',
      target: 'node20',
      format,
      minify,
      external: ['pg-native'],
      outfile: `${outdir}/esbuild ${format}${minify ? ' minified' : ''}/index.${format === 'cjs' ? 'cjs' : 'mjs'}`,
      ...(format === 'esm' && { banner: { js } }),
      logLevel: 'error',
    });
    for (const { text } of warnings) console.log(text);
  }
}
