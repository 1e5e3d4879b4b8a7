import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.js';

// Do not use mergeConfig: it joins lists, so these tests would stay excluded.
export default defineConfig({
  test: { ...base.test, include: ['test/browser/*.test.ts'], exclude: [] },
});
