// node webpack.mjs webpack|rspack <project> <outdir>
const [, , tool, context, outdir] = process.argv;
const pack = tool === 'webpack' ? (await import('webpack')).default : (await import('@rspack/core')).rspack;

const variants = [false, true].flatMap((esm) => [false, true].map((minimize) => ({ esm, minimize })));
const configurations = variants.map(({ esm, minimize }) => ({
  context,
  entry: './main.mjs',
  target: 'node20',
  mode: 'production',
  devtool: false,
  optimization: { minimize },
  // The native binding is optional, and not supported.
  resolve: { alias: { 'pg-native': false } },
  ...(esm && { experiments: { outputModule: true } }),
  output: {
    path: `${outdir}/${tool} ${esm ? 'esm' : 'cjs'}${minimize ? ' minified' : ''}`,
    filename: esm ? 'index.mjs' : 'index.cjs',
    ...(esm && { module: true, chunkFormat: 'module', chunkFilename: '[id].mjs' }),
  },
}));
const stats = await new Promise((resolve, reject) => {
  pack(configurations, (error, result) => (error ? reject(error) : resolve(result)));
});
const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
if (errors.length > 0) throw new Error(errors[0].message);
for (const { message } of warnings) console.log(message);
