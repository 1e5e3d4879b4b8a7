import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

// Not mergeConfig: it joins lists, so that these tests would stay excluded and all the others be run.
export default defineConfig({
  test: { ...base.test, include: ['test/pgbouncer/*.pgbouncer.test.ts'], exclude: [] },
});
