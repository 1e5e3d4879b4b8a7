import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{test,local-rds/test}/**/*.test.ts'],
    // These need psql, PgBouncer or a browser, which npm does not bring: each has a configuration of its own.
    exclude: [...configDefaults.exclude, '**/*.{psql,pgbouncer}.test.ts', 'test/browser/**'],
    pool: 'forks',
    // Most tests wait for servers and processes rather than work.
    maxWorkers: 2,
    // Bounds for a test that hangs, generous enough for a machine with five times its load.
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
