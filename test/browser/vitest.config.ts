import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.js';

// Not mergeConfig: it joins lists, so that these tests would stay excluded.
export default defineConfig({
  test: { ...base.test, include: ['test/browser/*.test.ts'], exclude: [] },
});
