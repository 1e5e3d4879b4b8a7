/** The bundlers and tracers, with the versions to install for the check. */
export const BUNDLER_PACKAGES = [
  'esbuild@0.28.2',
  'webpack@5.113.0',
  '@rspack/core@2.3.3',
  'rollup@4.68.8',
  '@rollup/plugin-commonjs@29.0.3',
  '@rollup/plugin-json@6.1.0',
  '@rollup/plugin-node-resolve@16.0.3',
  '@rollup/plugin-terser@1.0.2',
  '@vercel/nft@1.11.5',
];

/** The runners of programs and tests; ts-node has no release for a newer TypeScript. */
export const RUNNER_PACKAGES = [
  'jest@30.5.2',
  'vitest@4.1.12',
  'mocha@12.0.3',
  'tsx@4.23.15',
  'ts-node@10.9.2',
  'typescript@5.9.3',
  '@types/node@20.19.43',
  'bun@1.4.5',
  'deno@2.9.6',
];

/** Those of the packages whose install scripts install a binary. */
export const WITH_SCRIPTS = { esbuild: true, bun: true, deno: true, 'unrs-resolver': true } as const;
