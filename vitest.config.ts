import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{test,local-rds/test}/**/*.test.ts'],
    // These need psql, PgBouncer or a browser, which npm does not install: each has its own configuration.
    exclude: [...configDefaults.exclude, '**/*.{psql,pgbouncer}.test.ts', 'test/browser/**'],
    pool: 'forks',
    // Most tests wait for servers and processes rather than use the CPU.
    maxWorkers: 2,
    // Limits for hanging tests, generous enough for a machine under five times the usual load.
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
