import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

// Not mergeConfig, which concatenates lists: these tests would stay excluded, and all others would run.
export default defineConfig({
  test: { ...base.test, include: ['test/integration/*.psql.test.ts'], exclude: [] },
});
