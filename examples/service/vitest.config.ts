import { defineConfig } from 'vitest/config';
import project from '../../vitest.config.js';

export default defineConfig({
  test: { ...project.test, root: import.meta.dirname, include: ['test/**/*.test.ts'] },
});
