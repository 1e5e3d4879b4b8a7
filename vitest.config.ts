import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // These need psql, which npm does not bring: vitest.psql.config.ts runs them.
    exclude: [...configDefaults.exclude, '**/*.psql.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
