// node rollup.mjs <project> <outdir>
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';

const [, , project, outdir] = process.argv;
const bundle = await rollup({
  input: `${project}/main.mjs`,
  plugins: [nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs(), json()],
  external: ['pg-native'],
  onwarn(warning, warn) {
    // pg and pg-pool import each other.
    if (warning.code !== 'CIRCULAR_DEPENDENCY') warn(warning);
  },
});
for (const format of ['cjs', 'esm']) {
  const ending = format === 'cjs' ? 'cjs' : 'mjs';
  const names = { entryFileNames: `index.${ending}`, chunkFileNames: `[name]-[hash].${ending}` };
  await bundle.write({ dir: `${outdir}/rollup ${format}`, format, ...names });
  await bundle.write({ dir: `${outdir}/rollup ${format} minified`, format, ...names, plugins: [terser()] });
}
await bundle.close();
